/// The page's style sheet.
enum ReportStyle {
    /// Every badge has a contrast of at least 4.5 between words and ground in both themes.
    static let sheet = """
        :root {
          color-scheme: light dark;
          --ground: #ffffff; --text: #1f2328; --faint: #57606a; --line: #d8dee4;
          --soft: #f6f8fa; --link: #0550ae; --mark: #fff8c5;
          --good: #0f5132; --good-ground: #d6f0e0; --bad: #842029; --bad-ground: #f9dcdf;
          --doubt: #664d03; --doubt-ground: #fff0c2; --none: #41464b; --none-ground: #e4e6e8;
        }
        @media (prefers-color-scheme: dark) {
          :root {
            --ground: #14171c; --text: #e2e6eb; --faint: #9aa4af; --line: #343b44;
            --soft: #1d2229; --link: #79b8ff; --mark: #3a3410;
            --good: #8fe0b0; --good-ground: #143d28; --bad: #ffb3b8; --bad-ground: #571c22;
            --doubt: #ffdf80; --doubt-ground: #4a3a08; --none: #ced4da; --none-ground: #343b44;
          }
        }
        * { box-sizing: border-box; }
        html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
        body {
          margin: 0 auto; padding: 0 1.25rem 4rem; max-width: 78rem;
          background: var(--ground); color: var(--text); line-height: 1.6;
          font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans",
            sans-serif;
          overflow-wrap: break-word;
        }
        header { padding: 2.5rem 0 1.25rem; border-bottom: 1px solid var(--line); }
        h1 { margin: 0; font-size: clamp(1.5rem, 1.1rem + 1.6vw, 2.2rem); line-height: 1.2; }
        .subtitle { margin: 0.5rem 0 0; color: var(--faint); font-size: 1.05rem;
          max-width: none; }
        h2 { margin: 2.5rem 0 0.75rem; font-size: 1.5rem; line-height: 1.25; }
        h3 { margin: 2rem 0 0.5rem; font-size: 1.15rem; line-height: 1.3; }
        p { margin: 0.75rem 0; max-width: 44rem; }
        a { color: var(--link); text-underline-offset: 0.15em; }
        section, h3, tr { scroll-margin-top: 1rem; }
        nav { margin-top: 1.5rem; padding: 1rem 1.25rem; background: var(--soft);
          border: 1px solid var(--line); border-radius: 0.6rem; font-size: 0.95rem; }
        .nav-title { margin: 0 0 0.35rem; font-weight: 600; }
        nav ol { margin: 0; padding-left: 1.4rem; }
        nav ol ol { padding-left: 1.1rem; list-style: none; font-size: 0.94em; }
        nav li { margin: 0.2rem 0; }
        nav a { text-decoration: none; }
        nav a:hover { text-decoration: underline; }
        main { min-width: 0; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: 0.93rem; }
        th, td { padding: 0.45rem 0.55rem; text-align: left; vertical-align: top;
          border-bottom: 1px solid var(--line); }
        th { white-space: nowrap; font-weight: 600; border-bottom: 2px solid var(--line); }
        td { white-space: nowrap; }
        td.long { white-space: normal; min-width: 13rem; }
        tbody tr:hover { background: var(--soft); }
        tr:target { background: var(--mark); }
        .number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
        .badge { display: inline-block; padding: 0.08rem 0.6rem; border-radius: 1rem;
          font-size: 0.88em; font-weight: 600; white-space: nowrap;
          border: 1px solid currentColor; }
        .supported { color: var(--good); background: var(--good-ground); }
        .notSupported { color: var(--bad); background: var(--bad-ground); }
        .confounded { color: var(--doubt); background: var(--doubt-ground); }
        .missing { color: var(--none); background: var(--none-ground); }
        .undecidable { color: var(--none); background: var(--none-ground); }
        dl { display: grid; grid-template-columns: max-content minmax(0, 1fr);
          gap: 0.3rem 1.5rem; margin: 1rem 0; }
        dt { font-weight: 600; }
        dd { margin: 0; font-variant-numeric: tabular-nums; }
        figure { margin: 1.5rem 0; }
        .picture img { display: block; width: 100%; max-width: 56rem; height: auto;
          background: #ffffff; border: 1px solid var(--line); border-radius: 0.6rem;
          padding: 0.5rem; }
        figcaption { margin-top: 0.5rem; color: var(--faint); font-size: 0.93rem; }
        figcaption p { margin: 0 0 0.25rem; }
        .table figcaption { margin: 0 0 0.35rem; }
        code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas,
          "DejaVu Sans Mono", monospace; font-size: 0.9em; }
        pre { margin: 0.4rem 0; padding: 0.85rem 1rem; overflow-x: auto; background: var(--soft);
          border: 1px solid var(--line); border-radius: 0.5rem; line-height: 1.45; }
        pre code { font-size: inherit; }
        .runs code { white-space: nowrap; }
        .runs pre code { white-space: pre; }
        summary { cursor: pointer; white-space: nowrap; color: var(--link); }
        .run-list ul { margin: 0.3rem 0 0; padding-left: 1.1rem; }
        .run-list code { white-space: nowrap; }
        @media (min-width: 64rem) {
          .columns { display: grid; grid-template-columns: 15rem minmax(0, 1fr); gap: 2.5rem; }
          nav { position: sticky; top: 1.25rem; align-self: start; max-height: calc(100vh - 2.5rem);
            overflow-y: auto; }
          main > section:first-child > h2 { margin-top: 1.5rem; }
        }
        @media (max-width: 34rem) {
          dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
          dd { margin: 0 0 0.6rem; }
          th, td { padding: 0.4rem 0.55rem; }
        }
        @media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
        @media print {
          :root {
            color-scheme: light;
            --ground: #ffffff; --text: #000000; --faint: #444444; --line: #bbbbbb;
            --soft: #f6f6f6; --link: #000000; --mark: #ffffff;
            --good: #0f5132; --good-ground: #ffffff; --bad: #842029; --bad-ground: #ffffff;
            --doubt: #664d03; --doubt-ground: #ffffff; --none: #41464b; --none-ground: #ffffff;
          }
          body { max-width: none; padding: 0; font-size: 10pt; }
          .columns { display: block; }
          nav { position: static; max-height: none; }
          .scroll { overflow: visible; }
          table { font-size: 8pt; }
          th, td { padding: 0.2rem 0.35rem; }
          th, td, .runs code, .run-list code { white-space: normal; }
          .number { white-space: nowrap; }
          .run-list ul { padding-left: 0.8rem; }
          td.long { min-width: 8rem; }
          pre { white-space: pre-wrap; overflow-wrap: anywhere; }
          details::details-content { content-visibility: visible; display: block; height: auto; }
          h2, h3, .table figcaption { break-after: avoid; }
          tr, .picture, .code { break-inside: avoid; }
          thead { display: table-header-group; }
          a { text-decoration: none; }
        }
        """
}
