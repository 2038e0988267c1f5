//! What a text leaves to be filled in: `{{ticket.id}}`, `{{ ticket.requester.name }}`.

/// The text with its placeholders filled in by `value`. What is none of ours is left out, as it is where nothing is known; braces that
/// close nowhere stay as they are.
pub fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, after)) = after.split_once("}}") else { break };
        filled.push_str(before);
        filled.push_str(&value(name.trim()).unwrap_or_default());
        rest = after;
    }
    filled.push_str(rest);
    filled
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
            assert_eq!(fill(text, value), filled);
        }
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        assert_eq!(fill("{{a}}", |_| Some("{{a}}".to_owned())), "{{a}}");
    }
}
