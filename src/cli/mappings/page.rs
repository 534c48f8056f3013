//! A guide as one HTML page: its own style, no script, nothing fetched; made to be sent and printed.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::sheet::{
    Row, Sheet, codes, described, destination, is_used, most, notes, rows, said, titled,
};
use super::show::{BESIDE, standing};
use crate::cli::sentence::count;
use crate::cli::words::{language, said as spoken, say};
use crate::mapping::{ElementView, UseView};
use crate::x12::text;

/// All tables of a kind have their columns at one place.
const WIDTHS: &str = "<colgroup><col style=\"width:5%\"><col style=\"width:15%\">\
    <col style=\"width:8%\"><col style=\"width:7%\"><col style=\"width:35%\"><col></colgroup>";
const DETAIL_WIDTHS: &str = "<colgroup><col style=\"width:9%\"><col style=\"width:8%\">\
    <col style=\"width:9%\"><col style=\"width:42%\"><col></colgroup>";

const STYLE: &str = "
:root { --ink: #1b1f24; --soft: #5b6570; --line: #d8dde3; --tint: #f4f6f8; --mark: #8a5a00; --hand: #fff6e0; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 2rem 1.5rem 4rem; color: var(--ink); background: #fff;
  font: 15px/1.45 system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .2rem; } h2 { margin: 2.4rem 0 .6rem; font-size: 1.25rem; }
h3 { margin: 2rem 0 .2rem; font-size: 1.05rem; } h3 small { color: var(--soft); font-weight: 400; }
p { margin: .2rem 0 .6rem; } .soft, .rule { color: var(--soft); } .rule { font-size: .87rem; margin: .15rem 0; }
code { font: .9em ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; overflow-wrap: anywhere; }
table { table-layout: fixed; border-collapse: collapse; width: 100%; margin: .4rem 0; font-size: .9rem; }
th { text-align: left; text-transform: capitalize; color: var(--soft); font-weight: 600; border-bottom: 2px solid var(--line); }
th, td { padding: .22rem .55rem .22rem 0; vertical-align: top; } td { border-bottom: 1px solid var(--line); }
td:nth-child(1), td.n { white-space: nowrap; } tr.quiet td { color: var(--soft); }
tr.mark td:first-child { box-shadow: -4px 0 0 var(--mark); padding-left: .4rem; }
tr.mark td:nth-child(2)::after { content: ' ◆'; color: var(--mark); }
.was { color: var(--mark); background: var(--hand); border-radius: 3px; padding: 0 .3rem; font-size: .87rem; }
.tree { color: #9aa4af; white-space: pre; } a { color: inherit; text-decoration-color: var(--line); }
dl { columns: 3; column-gap: 2rem; margin: .4rem 0; font-size: .9rem; } dl div { break-inside: avoid; }
dt { display: inline; font-weight: 600; } dd { display: inline; margin: 0 0 0 .4rem; color: var(--soft); }
section { break-inside: auto; }
@media (max-width: 40rem) { dl { columns: 1; } body { padding: 1rem; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; } thead { display: table-header-group; } a { text-decoration: none; } }
";

/// Writes the page.
pub(super) fn write(sheet: &Sheet, all: bool, out: &mut dyn Write) -> io::Result<()> {
    let (title, name) = (escaped(&sheet.title()), escaped(&sheet.guide.name));
    write!(
        out,
        "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}: {name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n",
        language().tag()
    )?;
    heading(sheet, out)?;
    structure(sheet, all, out)?;
    writeln!(out, "<h2>{}</h2>", say("Segments"))?;
    let repeated = sheet.repeated();
    for one in sheet.guide.uses() {
        if !repeated.contains_key(&one.path()) && is_told(sheet, one, all) {
            detail(sheet, one, all, out)?;
        }
    }
    lists(sheet, out)?;
    writeln!(out, "</body>\n</html>")
}

fn is_told(sheet: &Sheet, one: UseView<'_>, all: bool) -> bool {
    all || is_used(one) || sheet.touched(one)
}

fn heading(sheet: &Sheet, out: &mut dyn Write) -> io::Result<()> {
    let guide = &sheet.guide;
    writeln!(out, "<h1>{}</h1>", escaped(&sheet.title()))?;
    let code = |text: &str| format!("<code>{}</code>", escaped(text));
    writeln!(out, "<p>{}</p>", code(&guide.name))?;
    if let Some(base) = &sheet.base {
        let mark = format!("<span class=\"was\">{}</span>", say("◆ marked so"));
        let changes = count(sheet.changes, "difference");
        let over = text!(
            "laid over {base}, with {changes}: {mark}",
            base = code(base),
            changes,
            mark
        );
        writeln!(out, "<p>{}</p>", spoken(&over))?;
    }
    let goes = match guide.document {
        Some(kind) => text!(
            "its values go to and come from a {kind}",
            kind = code(kind.as_str())
        ),
        None => text!("structure only: its values have no document"),
    };
    writeln!(out, "<p>{}</p>", spoken(&goes))?;
    let legend = text!(
        "Usage: M mandatory, O optional, X conditional, N not used. Max: how often it may come; of a loop, how often the whole loop; >1 is without limit."
    );
    writeln!(out, "<p class=\"soft\">{}</p>", escaped(&spoken(&legend)))
}

/// The head of a table.
fn heads<const N: usize>(names: [&str; N]) -> String {
    let cells = names.map(|name| format!("<th>{}</th>", escaped(name)));
    format!("<thead><tr>{}</tr></thead>", cells.concat())
}

fn structure(sheet: &Sheet, all: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<h2>{}</h2>", say("Structure"))?;
    let repeated = sheet.repeated();
    let mut area = "";
    for one in sheet.guide.uses() {
        if !one.area().is_empty() && one.area() != area {
            if !area.is_empty() {
                writeln!(out, "</tbody></table>")?;
            }
            area = one.area();
            let heads = heads([
                say("pos"),
                say("segment"),
                say("usage"),
                say("max"),
                say("name"),
                say("document"),
            ]);
            let title = escaped(titled(area));
            writeln!(out, "<h3>{title}</h3>\n<table>{WIDTHS}{heads}<tbody>")?;
        }
        let class = match (sheet.touched(one), is_used(one)) {
            (true, _) => " class=\"mark\"",
            (_, false) => " class=\"quiet\"",
            _ => "",
        };
        let path = one.path();
        let key = match repeated.get(&path).unwrap_or(&path) {
            target if is_told(sheet, one, all) => {
                format!(
                    "<a href=\"#{}\">{}</a>",
                    escaped(target),
                    escaped(one.key())
                )
            }
            _ => escaped(one.key()),
        };
        let head = if one.is_loop() { "┌ " } else { "" };
        let tree = "│ ".repeat(one.depth()) + head;
        let (described, goes) = (escaped(&described(one)), escaped(&destination(one)));
        writeln!(
            out,
            "<tr{class}><td>{:03}</td><td class=\"n\"><span class=\"tree\">{tree}</span>{key}</td>\
             <td>{}</td><td>{}</td><td>{described}</td><td><code>{goes}</code></td></tr>",
            one.position(),
            one.usage(),
            escaped(&most(one.max())),
        )?;
    }
    if !area.is_empty() {
        writeln!(out, "</tbody></table>")?;
    }
    Ok(())
}

fn detail(sheet: &Sheet, one: UseView<'_>, all: bool, out: &mut dyn Write) -> io::Result<()> {
    let (path, name) = (escaped(&one.path()), escaped(&described(one)));
    let kind = if one.is_loop() { say(", a loop") } else { "" };
    writeln!(
        out,
        "<section>\n<h3 id=\"{path}\">{path} <small>{name}{kind}</small></h3>"
    )?;
    let scope = match one.scope() {
        scope if scope.is_empty() => String::new(),
        scope => format!("{}→ <code>{}</code>", say(", "), escaped(&scope)),
    };
    let standing = escaped(&standing(one));
    writeln!(out, "<p class=\"soft\">{standing}{scope}</p>")?;
    for sentence in sheet.marks(one, "") {
        writeln!(
            out,
            "<p><span class=\"was\">◆ {}</span></p>",
            escaped(sentence)
        )?;
    }
    let heads = heads([
        say("element"),
        say("usage"),
        say("type"),
        say("name"),
        say("document"),
    ]);
    writeln!(out, "<table>{DETAIL_WIDTHS}{heads}<tbody>")?;
    for row in rows(one, all) {
        match row {
            Row::Composite(designator, name, usage) => {
                let name = escaped(say(name));
                writeln!(
                    out,
                    "<tr><td>{designator}</td><td>{usage}</td><td></td><td colspan=\"2\">{name}</td></tr>"
                )?;
            }
            Row::Element(part) => element(sheet, one, part, out)?,
            Row::Many(span, words) => writeln!(
                out,
                "<tr class=\"quiet\"><td colspan=\"3\">{span}</td><td colspan=\"2\">{words}</td></tr>"
            )?,
        }
    }
    writeln!(out, "</tbody></table>")?;
    for note in notes(one, all) {
        writeln!(out, "<p class=\"rule\">{}</p>", escaped(&note))?;
    }
    writeln!(out, "</section>")
}

fn element(
    sheet: &Sheet,
    one: UseView<'_>,
    part: ElementView<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (designator, def) = (part.designator(), part.def());
    let marks = sheet.marks(one, &designator);
    let class = if marks.is_empty() {
        ""
    } else {
        " class=\"mark\""
    };
    let mut name = escaped(say(&def.name));
    if part.repeats() > 1 {
        name += &spoken(&text!(", up to {n}", n = part.repeats()));
    }
    let listed = codes(part);
    match part.list() {
        Some(list) if listed.len() > BESIDE => {
            let list = escaped(list);
            let all = spoken(&text!(
                "the {n} codes of {list}",
                n = listed.len(),
                list = &list
            ));
            name += &format!("<br><a href=\"#codes-{list}\">{all}</a>");
        }
        Some(_) => {
            let one = |(code, word): &(String, String)| {
                format!("<code>{}</code> {}", escaped(code), escaped(word))
            };
            let listed: Vec<String> = listed.iter().map(one).collect();
            name += &format!("<br><span class=\"soft\">{}</span>", listed.join(say(", ")));
        }
        None => {}
    }
    for sentence in marks {
        name += &format!("<br><span class=\"was\">◆ {}</span>", escaped(sentence));
    }
    let (data, goes) = (
        format!("{} {}/{}", def.data, def.min, def.max),
        escaped(&said(part)),
    );
    let usage = part.usage();
    writeln!(
        out,
        "<tr{class}><td>{designator}</td><td>{usage}</td><td class=\"n\">{data}</td>\
         <td>{name}</td><td><code>{goes}</code></td></tr>"
    )
}

/// The long code lists, once each.
fn lists(sheet: &Sheet, out: &mut dyn Write) -> io::Result<()> {
    let uses = sheet.guide.uses();
    let parts = uses.iter().flat_map(|one| one.elements());
    let lists = parts.filter_map(|part| Some((part.list()?, codes(part))));
    let lists: BTreeMap<&str, Vec<(String, String)>> =
        lists.filter(|(_, codes)| codes.len() > BESIDE).collect();
    if !lists.is_empty() {
        writeln!(out, "<h2>{}</h2>", say("Codes"))?;
    }
    for (list, codes) in lists {
        let list = escaped(list);
        writeln!(out, "<section>\n<h3 id=\"codes-{list}\">{list}</h3>\n<dl>")?;
        for (code, word) in codes {
            let (code, word) = (escaped(&code), escaped(&word));
            writeln!(
                out,
                "<div><dt><code>{code}</code></dt><dd>{word}</dd></div>"
            )?;
        }
        writeln!(out, "</dl>\n</section>")?;
    }
    Ok(())
}

/// Text that stands for itself in HTML, in an attribute too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push('·'),
            c => out.push(c),
        }
    }
    out
}
