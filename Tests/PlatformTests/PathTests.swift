import Platform
import Testing

@Suite("Path") struct PathTests {
    @Test(
        arguments: [
            ("e", "", "e", "e"), ("a/b", "a", "b", "b"), ("/a", "/", "a", "a"), ("/", "", "", ""),
            ("", "", "", ""), ("a/", "", "a", "a"), ("x/y.tar.yaml", "x", "y.tar.yaml", "y.tar"),
            ("./s", ".", "s", "s"), ("d/.hidden", "d", ".hidden", ".hidden"),
        ])
    func parts(path: String, parent: String, name: String, stem: String) {
        if path != "/" {
            #expect(Path.parent(of: path) == parent)
            #expect(Path.name(of: path) == name)
            #expect(Path.stem(of: path) == stem)
        } else {
            #expect(Path.parent(of: path) == "/")
        }
    }
}
