import Mechanism
import Plotting

/// The groups of a picture, and which of their curves its legend names: all of them, or of many the best of each
/// layout, while the others stand behind them, thin and gray.
struct ChosenCurves {
    /// A group with its error curve under its own layout.
    struct Member {
        let group: RunGroup
        let error: Curve?

        /// The error averaged over k.
        var meanError: Double {
            guard let error else { return .infinity }
            let mean = error.mean.reduce(0, +) / Double(error.mean.count)
            return mean.isNaN ? .infinity : mean
        }
    }

    /// A picture with more curves than this names as many as there are colours.
    private static let most = 8
    private static let colors = 7

    let members: [Member]
    private let isNamed: [Bool]

    init(_ groups: [RunGroup], summary: SweepSummary) {
        let members = groups.map {
            Member(group: $0, error: summary.errorCurve($0, layout: $0.layout))
        }
        self.members = members
        // The best of each layout before the second of any: under one layout the task is easier than under another.
        let byLayout = Dictionary(grouping: members.indices) { members[$0].group.layout.name }
        let ranked = byLayout.values.flatMap { places in
            places.sorted { members[$0].meanError < members[$1].meanError }.enumerated()
                .map { (rank: $0.offset, place: $0.element) }
        }.sorted { ($0.rank, $0.place) < ($1.rank, $1.place) }
        let count = members.count > Self.most ? Self.colors : members.count
        let named = Set(ranked.prefix(count).map(\.place))
        isNamed = members.indices.map(named.contains)
    }

    /// Whether every curve has a name, and then a band: many bands hide what they belong to.
    var areAllNamed: Bool { isNamed.allSatisfy { $0 } }

    /// The groups that have a name.
    var named: [RunGroup] { zip(members, isNamed).filter(\.1).map(\.0.group) }

    /// The beginning of a subtitle when not every curve has a name; empty when every one has.
    var note: String {
        if areAllNamed { return "" }
        let count = isNamed.count { $0 }
        return
            "\(members.count) curves, \(count) named (lowest mean error of each layout), others gray; "
    }

    /// The curves as they are drawn, those without a name first.
    ///
    /// - Parameters:
    ///   - suffix: what stands behind a label that is a layout's name alone.
    ///   - curve: a group's curve; nil where there is none.
    func series(suffix: String = "", _ curve: (Member) -> Curve?) -> [Series] {
        let faint = SeriesStyle(color: .gray, width: 1.5, opacity: 0.5)
        var unnamed: [Series] = []
        var named: [Series] = []
        // A group looks the same in every picture, whichever others have a curve there.
        var place = 0
        for (member, isNamed) in zip(members, isNamed) {
            defer { place += isNamed ? 1 : 0 }
            guard let curve = curve(member) else { continue }
            if isNamed {
                named.append(
                    Series(
                        name: member.group.label + (member.group.remainder.isEmpty ? suffix : ""),
                        x: curve.x, y: curve.mean, low: areAllNamed ? curve.low : nil,
                        high: areAllNamed ? curve.high : nil, style: .curve(place)))
            } else {
                unnamed.append(Series(name: "", x: curve.x, y: curve.mean, style: faint))
            }
        }
        return unnamed + named
    }
}
