/// A binary heap: the smallest element comes first.
struct Heap<Element: Comparable & Sendable>: Sendable {
    private var elements: [Element] = []

    /// Removes everything and keeps the memory.
    mutating func removeAll() { elements.removeAll(keepingCapacity: true) }

    /// Adds an element.
    mutating func push(_ element: Element) {
        elements.append(element)
        var child = elements.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard elements[child] < elements[parent] else { return }
            elements.swapAt(parent, child)
            child = parent
        }
    }

    /// Removes and returns the smallest element; nil when there is none.
    mutating func pop() -> Element? {
        guard let first = elements.first else { return nil }
        let last = elements.removeLast()
        if elements.isEmpty { return first }
        elements[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child >= elements.count { return first }
            if child + 1 < elements.count, elements[child + 1] < elements[child] { child += 1 }
            guard elements[child] < elements[parent] else { return first }
            elements.swapAt(parent, child)
            parent = child
        }
    }
}
