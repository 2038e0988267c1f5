//! What stands around each page of the admin centre: where its parts are, and what was done a moment ago.

use crate::pages::frame::Frame;

/// A part of the admin centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Overview,
    People,
    Groups,
    Tokens,
}

/// A link to a part.
pub(super) struct Link {
    pub(super) path: &'static str,
    pub(super) name: String,
    pub(super) is_shown: bool,
}

/// What stands around a page.
pub(super) struct Around {
    /// The parts, under their headings.
    pub(super) parts: Vec<(String, Vec<Link>)>,
    /// What was done a moment ago.
    pub(super) done: Option<String>,
}

impl Around {
    /// Around a page of this part.
    pub(super) fn of(frame: &Frame, shown: Part) -> Self {
        let words = &frame.words;
        let link =
            |part: Part, path, name: &str| Link { path, name: words.say(name).to_string(), is_shown: part == shown };
        let parts = vec![
            (
                words.say("admin-part-desk").to_string(),
                vec![
                    link(Part::Overview, "/agent/admin", "admin-overview"),
                    link(Part::People, "/agent/admin/people", "admin-people"),
                    link(Part::Groups, "/agent/admin/groups", "admin-groups"),
                ],
            ),
            (
                words.say("admin-part-safety").to_string(),
                vec![
                    link(Part::Tokens, "/agent/admin/tokens", "admin-tokens"),
                    Link { path: "/residency", name: words.say("admin-residency").to_string(), is_shown: false },
                ],
            ),
        ];
        Self { parts, done: done(frame) }
    }
}

/// The address of a page that says what was done a moment ago.
pub(super) fn after(path: &str, done: &str) -> String {
    format!("{path}?done={done}")
}

/// Only words that are known are said: an address is anybody's to make.
fn done(frame: &Frame) -> Option<String> {
    let (_, query) = frame.path.split_once('?')?;
    let word = query.split('&').find_map(|pair| pair.strip_prefix("done="))?;
    let said = match word {
        "made" => frame.words.say("admin-done-made"),
        "saved" => frame.words.say("admin-done-saved"),
        "issued" => frame.words.say("admin-done-issued"),
        "ended" => frame.words.say("admin-done-ended"),
        "deleted" => frame.words.say("admin-done-deleted"),
        _ => return None,
    };
    Some(said.to_string())
}
