//! Tags: words to find tickets by.

use super::Invalid;

/// The longest tag, in characters.
pub const TAG_LENGTH_MAX: usize = 100;
/// How many tags a ticket has at most.
pub const TAGS_MAX: usize = 100;

/// Tags as they are recorded: lower-cased, sorted, each once.
pub fn tags(sent: &[String]) -> Result<Vec<String>, Invalid> {
    let mut tags: Vec<String> = sent.iter().map(|tag| tag.trim().to_lowercase()).collect();
    tags.sort_unstable();
    tags.dedup();
    if tags.len() > TAGS_MAX || !tags.iter().all(|tag| is_tag(tag)) {
        return Err(Invalid::new(
            "tags",
            format!("at most {TAGS_MAX} tags of 1 to {TAG_LENGTH_MAX} letters, digits or any of _-./:;@+#"),
        ));
    }
    Ok(tags)
}

/// Checked after lower-casing, so that what is recorded is always taken again.
fn is_tag(tag: &str) -> bool {
    (1..=TAG_LENGTH_MAX).contains(&tag.chars().count())
        && tag.chars().all(|character| character.is_alphanumeric() || "_-./:;@+#".contains(character))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|&tag| tag.to_owned()).collect()
    }

    #[test]
    fn tags_are_lower_cased_sorted_and_each_once() {
        assert_eq!(tags(&texts(&["Zoom", "billing", "ZOOM", "Größe"])), Ok(texts(&["billing", "größe", "zoom"])));
        assert_eq!(tags(&[]), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        let long = "a".repeat(TAG_LENGTH_MAX + 1);
        for bad in ["", " ", "two words", "a,b", "a\"b", "a\u{0}", "a\nb", &long] {
            assert_eq!(tags(&texts(&["good", bad])).expect_err("refused").field, "tags", "{bad:?}");
        }
        let many: Vec<String> = (0..=TAGS_MAX).map(|number| number.to_string()).collect();
        assert!(tags(&many).is_err());
    }

    proptest! {
        #[test]
        fn recorded_tags_are_taken_again_unchanged(sent in proptest::collection::vec(any::<String>(), 0..5)) {
            if let Ok(recorded) = tags(&sent) {
                prop_assert_eq!(tags(&recorded), Ok(recorded.clone()));
                prop_assert!(recorded.windows(2).all(|pair| pair[0] < pair[1]));
            }
        }
    }
}
