//! What a text leaves to be filled in: `{{ticket.id}}`, `{{ ticket.requester.name }}`.

use crate::text::{BODY_LENGTH_MAX, Invalid};

/// The text with its placeholders filled in by `value`. What is none of ours is left out, as it is where nothing is known; braces that
/// close nowhere stay as they are.
///
/// # Errors
///
/// If it gets longer than a comment is: a few characters can stand for a long text, many times.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> Result<String, Invalid> {
    let (mut filled, mut room) = (String::with_capacity(text.len()), BODY_LENGTH_MAX);
    let mut push = |part: &str| {
        let takes = || format!("at most {BODY_LENGTH_MAX} characters in what is said, filled in");
        room = room.checked_sub(part.chars().count()).ok_or_else(|| Invalid::new("actions", takes()))?;
        filled.push_str(part);
        Ok(())
    };
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        push(before)?;
        push(&value(name.trim()).unwrap_or_default())?;
        rest = after;
    }
    push(rest)?;
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_in_and_what_is_none_stays() {
        let value = |name: &str| (name == "ticket.id").then(|| "7".to_owned());
        for (text, filled) in [
            ("About {{ticket.id}}, {{ ticket.id }}.", "About 7, 7."),
            ("Dear {{ticket.unheard_of}}!", "Dear !"),
            ("{{ticket.id", "{{ticket.id"),
            ("{ticket.id}} {{ticket.id}}", "{ticket.id}} 7"),
            ("none", "none"),
        ] {
            assert_eq!(fill(text, value).as_deref(), Ok(filled));
        }
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        assert_eq!(fill("{{a}}", |_| Some("{{a}}".to_owned())).as_deref(), Ok("{{a}}"));
    }

    #[test]
    fn what_is_filled_in_has_an_end() {
        let long = |_: &str| Some("é".repeat(BODY_LENGTH_MAX / 2));
        assert!(fill("{{a}}{{a}}", long).is_ok());
        assert_eq!(fill("{{a}}{{a}}!", long).expect_err("too long").field, "actions");
    }
}
