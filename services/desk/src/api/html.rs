//! Text and HTML of comments: cleaning what people send, and telling one form from the other.

use ammonia::Builder;

/// HTML that is safe to show: scripts, styles, event handlers, forms and foreign frames are gone.
pub(crate) fn clean(html: &str) -> String {
    ammonia::clean(html)
}

/// The text of HTML: tags gone, paragraphs and line breaks kept as line ends.
pub(crate) fn to_text(html: &str) -> String {
    let broken =
        ["<br>", "<br/>", "<br />", "</p>", "</div>", "</li>", "</tr>", "</h1>", "</h2>", "</h3>", "</blockquote>"]
            .iter()
            .fold(ammonia::clean(html), |text, tag| text.replace(tag, &format!("{tag}\n")));
    let text = Builder::empty().clean(&broken).to_string();
    // The cleaner's output escapes these five and nothing else; the ampersand comes last, so that nothing is unescaped twice.
    let text = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (entity, character)| text.replace(entity, character));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}

/// The HTML a comment is shown as: the cleaned HTML its author sent, or its text in paragraphs.
pub(crate) fn of_comment(body: &str, html_body: Option<&str>) -> String {
    match html_body {
        Some(html) => format!(r#"<div class="zd-comment" dir="auto">{html}</div>"#),
        None => format!(r#"<div class="zd-comment" dir="auto">{}</div>"#, paragraphs(body)),
    }
}

fn paragraphs(text: &str) -> String {
    text.replace("\r\n", "\n")
        .split("\n\n")
        .map(|paragraph| {
            format!(r#"<p dir="auto">{}</p>"#, escape(paragraph.trim_matches('\n')).replace('\n', "<br>\n"))
        })
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_becomes_escaped_paragraphs() {
        assert_eq!(
            of_comment("1 < 2 & \"so\"\nsecond line\n\nnext", None),
            "<div class=\"zd-comment\" dir=\"auto\"><p dir=\"auto\">1 &lt; 2 &amp; &quot;so&quot;<br>\nsecond line</p><p dir=\"auto\">next</p></div>"
        );
    }

    #[test]
    fn cleaned_html_runs_nothing() {
        let cleaned = clean(
            r#"<p onclick="x()">Hi<script>alert(1)</script> <a href="javascript:x()">there</a></p><iframe src="//a"></iframe>"#,
        );
        assert_eq!(cleaned, r#"<p>Hi <a rel="noopener noreferrer">there</a></p>"#);
    }

    #[test]
    fn the_text_of_html_keeps_lines_and_loses_tags() {
        assert_eq!(
            to_text("<p>Hi &amp; hello,<br>world</p><p>1 &lt; 2</p><style>p{}</style>"),
            "Hi & hello,\nworld\n1 < 2"
        );
        assert_eq!(to_text("&amp;lt;b&amp;gt;"), "&lt;b&gt;", "nothing is unescaped twice");
    }
}
