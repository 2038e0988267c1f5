//! How deep HTML is nested, found in one pass without parsing it.
//!
//! The measure errs on the side of depth. A start tag counts wherever it stands, in comments and attributes too; an end tag
//! counts only where a browser would certainly take it for one, and only if it closes what was opened last. So whoever leaves
//! elements open, or hides end tags where browsers do not look, is deeper than they are, never less deep.

/// Elements open at the same time, at most. Mails of nested tables have 30.
const DEPTH_MAX: usize = 100;
/// Start and end tags, at most. A comment of the longest length has a few hundred.
const TAGS_MAX: usize = 2_000;

/// Elements that are never open.
const VOID: &[&str] =
    &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
/// Elements whose end tags people leave out.
const OPTIONAL: &[&str] = &["p", "li", "dt", "dd", "td", "th", "tr", "tbody", "thead", "tfoot"];

/// Refuses HTML that would be expensive to parse; the error says what is taken instead.
pub(super) fn check(html: &str) -> Result<(), String> {
    // ASCII only, so that no boundary of a character moves.
    let html = html.to_ascii_lowercase();
    let (mut measure, mut tags) = (Measure::default(), 0);
    for (start, _) in html.match_indices('<') {
        tags += 1;
        measure.take(&html, start);
        if tags > TAGS_MAX || measure.open.len() > DEPTH_MAX {
            return Err(format!("takes HTML of at most {TAGS_MAX} tags, nested at most {DEPTH_MAX} deep"));
        }
    }
    Ok(())
}

#[derive(Default)]
struct Measure<'a> {
    /// Names of the elements that may be open, outermost first: all that a browser has open are among them, in this order.
    open: Vec<&'a str>,
    /// Whether there was SVG or MathML, where other elements are void and none is optional.
    is_foreign: bool,
    /// Up to here a browser may be within a comment or a tag, where end tags are none.
    doubtful_until: usize,
}

impl<'a> Measure<'a> {
    fn take(&mut self, html: &'a str, start: usize) {
        let tag = &html[start + 1..];
        let (is_end, name) = match tag.strip_prefix('/') {
            Some(tag) => (true, name(tag)),
            None => (false, name(tag)),
        };
        let is_doubtful = start < self.doubtful_until;
        let end = if name.is_empty() { end_of_no_tag(tag) } else { end_of_tag(tag, name.len() + usize::from(is_end)) };
        self.doubtful_until = self.doubtful_until.max(start + 1 + end);
        match (name, is_end) {
            ("", _) => {}
            (name, true) if !is_doubtful => self.close(name),
            (_, true) => {}
            (name, false) => self.open(name),
        }
    }

    fn open(&mut self, name: &'a str) {
        self.is_foreign |= matches!(name, "svg" | "math");
        if !self.is_foreign && VOID.contains(&name) {
            return;
        }
        // Another row ends the last one and its last cell; another paragraph ends the last one.
        if name == "tr" {
            self.pop_if(|last| matches!(last, "td" | "th"));
        }
        if OPTIONAL.contains(&name) {
            self.pop_if(|last| last == name);
        }
        self.open.push(name);
    }

    fn close(&mut self, name: &str) {
        if self.open.last() == Some(&name) {
            self.open.pop();
        }
    }

    fn pop_if(&mut self, is: impl FnOnce(&str) -> bool) {
        if !self.is_foreign && self.open.last().is_some_and(|last| is(last)) {
            self.open.pop();
        }
    }
}

/// The name a tag begins with (HTML, section 13.2.5.8); empty when it is no tag.
fn name(tag: &str) -> &str {
    if !tag.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return "";
    }
    let end = tag.find(|character: char| character.is_ascii_whitespace() || "/>".contains(character));
    &tag[..end.unwrap_or(tag.len())]
}

/// Where a comment, a declaration or an instruction ends at the latest, from behind its `<`.
fn end_of_no_tag(text: &str) -> usize {
    // A comment may end before what is looked for here, and never after it.
    let end = match text {
        _ if text.starts_with("!--") => text[1..].find("-->").map(|end| end + 4),
        _ if text.starts_with("![cdata[") => text.find("]]>"),
        _ if text.starts_with(['!', '?', '/']) => text.find('>'),
        _ => Some(0),
    };
    end.unwrap_or(text.len())
}

/// Where a tag ends, from behind its `<`, when its name ends at `at` (HTML, sections 13.2.5.32 to 13.2.5.39).
fn end_of_tag(tag: &str, mut at: usize) -> usize {
    let bytes = tag.as_bytes();
    let skip = |at: usize, is: &dyn Fn(u8) -> bool| at + bytes[at..].iter().take_while(|byte| is(**byte)).count();
    let is_space = |byte: u8| byte.is_ascii_whitespace();
    loop {
        at = skip(at, &|byte| is_space(byte) || byte == b'/');
        if at >= bytes.len() || bytes[at] == b'>' {
            return at;
        }
        // The name of an attribute: its first character may be anything.
        at = skip(at + 1, &|byte| !is_space(byte) && !b"/>=".contains(&byte));
        at = skip(at, &is_space);
        if bytes.get(at) != Some(&b'=') {
            continue;
        }
        at = skip(at + 1, &is_space);
        at = match bytes.get(at) {
            Some(quote @ (b'"' | b'\'')) => (skip(at + 1, &|byte| byte != *quote) + 1).min(bytes.len()),
            _ => skip(at, &|byte| !is_space(byte) && byte != b'>'),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_that_people_write_passes() {
        let table = format!("<table>{}</table>", "<tr><td><p>a</p><td>b<br><img src=x>".repeat(100));
        let list = format!("<ul>{}</ul>", "<li>a<li><b>b</b>".repeat(100));
        let nested = format!("{}{}", "<div><p>".repeat(50), "</p></div>".repeat(50));
        let hidden = "<!-- <td> --><style>p > b {}</style><a title=\"1 > 0 </a>\" href=x>x</a><br/>".repeat(20);
        for html in [table, list, nested, hidden, "<o:p></o:p>1 < 2 <3".repeat(200), "<svg></svg>".repeat(200)] {
            assert_eq!(check(&html), Ok(()), "{}", &html[..40]);
        }
    }

    #[test]
    fn nesting_and_bombs_are_refused() {
        for (unit, count) in [
            ("<div>", 101),
            ("<b id=x>", 101),
            ("<div/>", 101),
            ("<x></y>", 101),
            ("<span><div></span>", 101),
            ("<b><li></b><b><dd></b>", 101),
            ("<p></p>", 1_001),
        ] {
            assert!(check(&unit.repeat(count)).is_err(), "{unit}");
        }
    }

    #[test]
    fn an_end_tag_that_browsers_do_not_see_closes_nothing() {
        for unit in [
            "<div><!-- </div> -->",
            "<div title=\"></div>\">",
            "<div a='></div>'>",
            "<div a=\"\" b=\"></div>\">",
            "<div></x y=\"</div>\">",
            "<div><?</div>",
            "<div><!doctype </div>",
            "<svg><td>",
            "<svg><wbr>",
        ] {
            assert!(check(&unit.repeat(101)).is_err(), "{unit}");
        }
    }
}
