//! What regions, jurisdictions, data classes and destinations are called in the reader's language.
//!
//! Regions and policy are the operator's files, and theirs is the last word: a name or a reason that is not the one Domicile comes
//! with is shown as it was written.

use regions::{EgressRule, Region};
use schemas::DataClass;

use super::words::{Language, Words};

/// A text of the operator's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stated {
    /// The text.
    pub(crate) text: String,
    /// Whether it is in the reader's language.
    pub(crate) is_translated: bool,
}

/// The name of a region.
pub(crate) fn region(words: &Words, region: &Region) -> String {
    translated(words, &format!("public-place-{}", region.id), &region.name).text
}

/// Whose law a region is under.
pub(crate) fn jurisdiction(words: &Words, region: &Region) -> String {
    words.known(&format!("public-law-{}", region.jurisdiction)).unwrap_or_else(|| region.jurisdiction.clone())
}

/// What a class of data is.
pub(crate) fn class(words: &Words, class: DataClass) -> String {
    words.known(&format!("public-class-{class}")).unwrap_or_else(|| class.to_string())
}

/// A destination outside the home region.
pub(crate) fn destination(words: &Words, destination: &str) -> String {
    words.known(&format!("public-way-{destination}")).unwrap_or_else(|| destination.to_owned())
}

/// Why data may go or not.
pub(crate) fn reason(words: &Words, rule: &EgressRule) -> Stated {
    translated(words, &format!("policy-{}-{}", rule.class, rule.destination), &rule.reason)
}

/// Where a region is on the map, by the country or union whose law it is under.
pub(crate) fn on_the_map(jurisdiction: &str) -> Option<(u16, u16)> {
    match jurisdiction {
        "US" => Some((160, 90)),
        "EEA" => Some((375, 60)),
        "JP" => Some((630, 88)),
        "AU" => Some((620, 210)),
        _ => None,
    }
}

/// The sentence called `key`, if in English it says what is stated.
fn translated(words: &Words, key: &str, stated: &str) -> Stated {
    let english = Words { language: Language::English, ..words.clone() };
    match words.known(key).filter(|_| english.known(key).as_deref() == Some(stated)) {
        Some(text) => Stated { text, is_translated: true },
        None => Stated { text: stated.to_owned(), is_translated: words.language == Language::English },
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use regions::Regions;

    use super::*;

    fn words(language: Language) -> Words {
        Words { language, zone: TimeZone::UTC }
    }

    #[test]
    fn everything_the_repositorys_files_name_is_said_in_every_language() -> anyhow::Result<()> {
        let regions = Regions::load(&testkit::repository().join("regions"))?;
        for language in Language::ALL {
            let words = words(language);
            for rule in regions.policy().egress() {
                assert!(reason(&words, rule).is_translated, "{language:?}: {} to {}", rule.class, rule.destination);
                assert_ne!(destination(&words, &rule.destination), rule.destination, "{language:?}");
                assert_ne!(class(&words, rule.class), rule.class.as_str(), "{language:?}");
            }
            for place in regions.iter() {
                assert!(words.known(&format!("public-place-{}", place.id)).is_some(), "{language:?}: {}", place.id);
                assert_ne!(jurisdiction(&words, place), place.jurisdiction, "{language:?}");
                assert!(on_the_map(&place.jurisdiction).is_some(), "{}", place.jurisdiction);
            }
        }
        let eu = regions.iter().find(|place| place.id.as_str() == "eu").expect("a region");
        assert_eq!(region(&words(Language::German), eu), "Europäische Union");
        Ok(())
    }

    #[test]
    fn what_the_operator_worded_otherwise_is_shown_as_it_was_worded() -> anyhow::Result<()> {
        let regions = Regions::load(&testkit::repository().join("regions"))?;
        let mut eu = regions.iter().find(|place| place.id.as_str() == "eu").expect("a region").clone();
        eu.name = "Europe, Frankfurt".to_owned();
        eu.jurisdiction = "CH".to_owned();
        let japanese = words(Language::Japanese);
        assert_eq!(region(&japanese, &eu), "Europe, Frankfurt");
        assert_eq!(jurisdiction(&japanese, &eu), "CH");
        let first = regions.policy().egress()[0].clone();
        let other = EgressRule { reason: "because we say so".to_owned(), ..first };
        let stated = Stated { text: "because we say so".to_owned(), is_translated: false };
        assert_eq!(reason(&japanese, &other), stated);
        Ok(())
    }
}
