//! Text and HTML of comments: cleaning what people send, and telling one form from the other.
//!
//! Parsing HTML as browsers do costs time that grows with the square of how deep it is nested, and makes many elements out
//! of few unclosed ones. So what is sent is measured before it is parsed ([`measure`]), parsed once, in one of few places,
//! and never on a thread that serves others.

mod measure;

use std::time::Duration;

use domain::text;
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use crate::{problem::ApiError, state::Desk};

/// How many comments are cleaned at the same time in this process.
static PLACES: Semaphore = Semaphore::const_new(2);
/// How long a comment waits for a place. One takes milliseconds, so whoever waits so long is behind a flood.
const PLACE_PATIENCE: Duration = Duration::from_secs(5);

/// End tags and empty elements after which a text begins a new line.
const LINE_ENDS: &[&str] =
    &["br", "/p", "/div", "/li", "/tr", "/h1", "/h2", "/h3", "/h4", "/h5", "/h6", "/blockquote", "/pre"];

/// HTML that is safe to show, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cleaned {
    /// The HTML: scripts, styles, event handlers, forms and foreign frames are gone.
    pub(crate) html: String,
    /// Its text: tags gone, paragraphs and line breaks kept as line ends.
    pub(crate) text: String,
}

/// Cleans HTML, away from the threads that serve others. The inner error says what the field takes.
pub(crate) async fn clean(desk: &Desk, html: &str) -> Result<Result<Cleaned, String>, ApiError> {
    if html.chars().count() > text::BODY_LENGTH_MAX {
        return Ok(Err(format!("takes at most {} characters", text::BODY_LENGTH_MAX)));
    }
    let html = html.to_owned();
    let place = place(desk).await?;
    let work = move || {
        // Given back when the work ends, not when its caller stops waiting.
        let _held = place;
        clean_here(&html)
    };
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
}

/// A place to clean in; 503 when none gets free in time.
async fn place(desk: &Desk) -> Result<SemaphorePermit<'static>, ApiError> {
    let meter = desk.metrics.queue("desk_html");
    let _waits = meter.enter();
    let place = timeout(PLACE_PATIENCE, PLACES.acquire()).await.map_err(|late| {
        meter.refused();
        ApiError::unavailable(late)
    })?;
    Ok(place.expect("nobody closes it"))
}

fn clean_here(html: &str) -> Result<Cleaned, String> {
    measure::check(html)?;
    let html = text::html_body(&ammonia::clean(html)).map_err(|invalid| format!("takes {}", invalid.takes))?;
    let text = to_text(&html);
    Ok(Cleaned { html, text })
}

/// The text of cleaned HTML. There every `<` begins a tag, and every `&` one of the five entities the cleaner writes.
fn to_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let (tag, after) = tag.split_at(tag_length(tag));
        let name = tag.split([' ', '>']).next().unwrap_or_default();
        if LINE_ENDS.contains(&name) {
            text.push('\n');
        }
        rest = after;
    }
    text.push_str(rest);
    // The ampersand comes last, so that nothing is unescaped twice.
    let text = [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (entity, character)| text.replace(entity, character));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join("\n").trim().to_owned()
}

/// How long a tag is, from behind its `<`: a `>` within the quotes of an attribute does not end it.
fn tag_length(tag: &str) -> usize {
    let mut is_quoted = false;
    let end = tag.bytes().position(|byte| {
        is_quoted ^= byte == b'"';
        byte == b'>' && !is_quoted
    });
    end.map_or(tag.len(), |end| end + 1)
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

/// A text as markup that shows it.
pub(crate) fn escape(text: &str) -> String {
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
        let cleaned = clean_here(
            r#"<p onclick="x()">Hi<script>alert(1)</script> <a href="javascript:x()">there</a></p><iframe src="//a"></iframe>"#,
        );
        assert_eq!(
            cleaned.map(|cleaned| cleaned.html).as_deref(),
            Ok(r#"<p>Hi <a rel="noopener noreferrer">there</a></p>"#)
        );
    }

    #[test]
    fn the_text_of_html_keeps_lines_and_loses_tags() {
        let text = |html: &str| clean_here(html).map(|cleaned| cleaned.text);
        assert_eq!(
            text("<p>Hi &amp; hello,<br>world</p><p>1 &lt; 2</p><style>p{}</style>").as_deref(),
            Ok("Hi & hello,\nworld\n1 < 2")
        );
        assert_eq!(text("&amp;lt;b&amp;gt;").as_deref(), Ok("&lt;b&gt;"), "nothing is unescaped twice");
        assert_eq!(text(r#"<img alt="a > b" src="x:y">c<b title='"'>d</b>"#).as_deref(), Ok("cd"));
    }

    #[test]
    fn output_that_outgrows_the_store_is_refused() {
        let long = clean_here(&"&".repeat(text::BODY_LENGTH_MAX)).expect_err("five times as long");
        assert!(long.starts_with("takes at most 262144 characters"), "{long}");
    }

    /// The worst that passes the measure stays below what a request may cost.
    #[test]
    fn the_worst_html_that_is_parsed_costs_little() {
        let numbered = |count: usize| (0..count).map(|number| format!("<b id={number}>")).collect::<String>();
        for bomb in [
            numbered(99) + &"<p>x".repeat(1_900),
            "<div>".repeat(100) + &"<p>x".repeat(1_900),
            "<a><table>".repeat(49) + &"x<a>".repeat(2),
        ] {
            let begun = std::time::Instant::now();
            let outcome = clean_here(&bomb);
            assert!(
                begun.elapsed().as_secs() < 2,
                "{:?}: {:?}",
                begun.elapsed(),
                outcome.map(|cleaned| cleaned.html.len())
            );
        }
    }
}
