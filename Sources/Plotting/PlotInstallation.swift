import CPLplot
import Foundation

/// What PLplot needs beside its library, looked at before it is called: it would end the process, or draw a picture
/// with boxes for letters.
enum PlotInstallation {
    /// What keeps pictures from being drawn; nil when nothing does. One thread at a time may ask.
    static func problem() -> PlotError? { folderProblem() ?? driverProblem() ?? fontProblem() }

    /// PLplot ends the process when the working directory was deleted.
    static func folderProblem() -> PlotError? {
        guard let folder = getcwd(nil, 0) else {
            return .installation(
                "PLplot cannot draw, because the working directory cannot be found "
                    + "(\(String(cString: strerror(errno))))",
                cure: "change to a folder that is there and run the command again")
        }
        free(folder)
        return nil
    }

    /// Whether PLplot finds any driver; without one its every call ends the process.
    static var hasDrivers: Bool {
        let names = try? FileManager.default.contentsOfDirectory(atPath: driverFolder)
        return names?.contains { $0.hasSuffix(".driver_info") } == true
    }

    private static var driverFolder: String { String(cString: plGetDrvDir()) }

    /// The cairo driver is described in one file and loaded from another.
    private static func driverProblem() -> PlotError? {
        let information = driverFolder + "/cairo.driver_info"
        let isSet = getenv("PLPLOT_DRV_DIR") != nil
        let cure =
            isSet
            ? "unset PLPLOT_DRV_DIR, which names that folder"
            : "install it: apt-get install plplot-driver-cairo"
        func problem(_ reason: String) -> PlotError {
            .installation("PLplot's cairo driver cannot be loaded (\(reason))", cure: cure)
        }
        if access(information, R_OK) != 0 {
            return problem("\(information): \(String(cString: strerror(errno)))")
        }
        // Never closed: PLplot opens it again.
        if dlopen(driverFolder + "/cairo.so", RTLD_LAZY | RTLD_LOCAL) == nil {
            return problem(dlerror().map { String(cString: $0) } ?? driverFolder)
        }
        return nil
    }

    private static func fontProblem() -> PlotError? {
        guard writingFontCount() == 0 else { return nil }
        let isSet = getenv("FONTCONFIG_FILE") != nil
        return .installation(
            "fontconfig finds no font with letters and digits for the pictures",
            cure: (isSet ? "unset FONTCONFIG_FILE, or " : "")
                + "install one: apt-get install fonts-dejavu-core")
    }

    /// How many fonts can write letters and digits; nil where fontconfig cannot be asked. It is asked the way pango
    /// will ask it, through the library that the driver has loaded.
    private static func writingFontCount() -> Int? {
        typealias Parse = @convention(c) (UnsafePointer<CChar>) -> OpaquePointer?
        typealias Create = @convention(c) () -> OpaquePointer?
        // An FcFontSet begins with the number of its fonts.
        typealias List =
            @convention(c) (OpaquePointer?, OpaquePointer, OpaquePointer) -> UnsafeMutablePointer<
                CInt
            >?
        typealias Destroy = @convention(c) (OpaquePointer) -> Void
        typealias DestroySet = @convention(c) (UnsafeMutablePointer<CInt>) -> Void
        guard let handle = dlopen("libfontconfig.so.1", RTLD_LAZY | RTLD_LOCAL) else { return nil }
        func function<Function>(_ name: String, as type: Function.Type) -> Function? {
            dlsym(handle, name).map { unsafeBitCast($0, to: type) }
        }
        guard let parse = function("FcNameParse", as: Parse.self),
            let create = function("FcObjectSetCreate", as: Create.self),
            let list = function("FcFontList", as: List.self),
            let destroyPattern = function("FcPatternDestroy", as: Destroy.self),
            let destroyObjects = function("FcObjectSetDestroy", as: Destroy.self),
            let destroyList = function("FcFontSetDestroy", as: DestroySet.self),
            let pattern = parse(":scalable=true:charset=30-39 41-5a 61-7a")
        else { return nil }
        defer { destroyPattern(pattern) }
        guard let objects = create() else { return nil }
        defer { destroyObjects(objects) }
        guard let fonts = list(nil, pattern, objects) else { return nil }
        defer { destroyList(fonts) }
        return Int(fonts.pointee)
    }
}
