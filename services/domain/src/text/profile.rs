//! What profiles and organizations tell of themselves.

use schemas::values::{OrganizationDetail, PersonDetail};

use super::{BODY_LENGTH_MAX, Invalid, is_blank, line, time_zone::time_zone};

/// The languages a person may have, with the ids the v2 API knows them by.
pub const LOCALES: [(&str, i64); 6] = [("en-US", 1), ("es", 2), ("de", 8), ("fr", 16), ("pt-BR", 19), ("ja", 67)];

/// The fewest and the most digits of a number (ITU-T E.164, section 6).
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;

/// The id of a language, if it is one of [`LOCALES`].
pub fn locale_id(name: &str) -> Option<i64> {
    LOCALES.iter().find(|(known, _)| *known == name).map(|(_, id)| *id)
}

/// Something of a profile; nothing, if there is nothing to see in it.
pub fn person_detail(detail: PersonDetail, text: &str) -> Result<Option<String>, Invalid> {
    let field = detail.as_str();
    if is_blank(text) {
        return Ok(None);
    }
    match detail {
        PersonDetail::Phone | PersonDetail::Alias | PersonDetail::ExternalId => line(field, text),
        PersonDetail::Details | PersonDetail::Notes | PersonDetail::Signature => note(field, text),
        PersonDetail::TimeZone => time_zone(text),
        PersonDetail::Locale => locale(text),
    }
    .map(Some)
}

/// Something of an organization; nothing, if there is nothing to see in it.
pub fn organization_detail(detail: OrganizationDetail, text: &str) -> Result<Option<String>, Invalid> {
    let field = detail.as_str();
    if is_blank(text) {
        return Ok(None);
    }
    match detail {
        OrganizationDetail::Details | OrganizationDetail::Notes => note(field, text),
        OrganizationDetail::ExternalId => line(field, text),
    }
    .map(Some)
}

/// A telephone number that somebody is known by: a `+` and digits, whatever stood between them.
pub fn phone_number(text: &str) -> Result<String, Invalid> {
    let text = text.trim();
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_number = text.starts_with('+')
        && PHONE_DIGITS.contains(&digits.len())
        && text.chars().skip(1).all(|character| character.is_ascii_digit() || " -().".contains(character));
    if is_number {
        return Ok(format!("+{digits}"));
    }
    Err(Invalid::new("value", "a telephone number such as +44 20 7946 0000"))
}

/// A text of many lines, kept as it was sent.
fn note(field: &'static str, text: &str) -> Result<String, Invalid> {
    if text.chars().count() > BODY_LENGTH_MAX || text.contains('\0') {
        return Err(Invalid::new(field, format!("at most {BODY_LENGTH_MAX} characters, none of them U+0000")));
    }
    Ok(text.to_owned())
}

fn locale(text: &str) -> Result<String, Invalid> {
    let known = LOCALES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
    known.map(|(name, _)| (*name).to_owned()).ok_or_else(|| {
        let names: Vec<&str> = LOCALES.iter().map(|(name, _)| *name).collect();
        Invalid::new("locale", format!("one of {}", names.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_blank_is_nothing() {
        for detail in PersonDetail::ALL {
            assert_eq!(person_detail(*detail, " \u{200b}"), Ok(None), "{detail}");
        }
        assert_eq!(organization_detail(OrganizationDetail::Notes, ""), Ok(None));
    }

    #[test]
    fn each_detail_has_its_own_rule() {
        assert_eq!(person_detail(PersonDetail::Locale, "DE"), Ok(Some("de".to_owned())));
        assert_eq!(person_detail(PersonDetail::Notes, "a\nb"), Ok(Some("a\nb".to_owned())));
        for (detail, bad) in [
            (PersonDetail::Locale, "tlh"),
            (PersonDetail::TimeZone, "Atlantis"),
            (PersonDetail::Phone, "a\nb"),
            (PersonDetail::Notes, "a\0"),
        ] {
            assert_eq!(person_detail(detail, bad).expect_err(bad).field, detail.as_str());
        }
        assert!(organization_detail(OrganizationDetail::ExternalId, "a\nb").is_err());
    }

    #[test]
    fn a_telephone_number_is_a_plus_and_digits() {
        assert_eq!(phone_number(" +44 (20) 7946-0000"), Ok("+442079460000".to_owned()));
        for bad in ["", "+", "020 7946 0000", "+44 call me", "+1234", "+1234567890123456"] {
            assert!(phone_number(bad).is_err(), "{bad}");
        }
    }
}
