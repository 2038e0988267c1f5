//! What the pages say, in the reader's language: sentences, numbers and moments.
//!
//! The sentences lie in `locales/<language>/*.ftl` (Project Fluent) and are compiled in. Each language has each of them; a test
//! holds the files against one another and against the templates.

use std::{
    borrow::{Borrow, Cow},
    collections::HashMap,
    fmt,
};

use fluent_templates::{Loader, fluent_bundle::FluentValue, static_loader};
use jiff::{Timestamp, tz::TimeZone};

static_loader! {
    static SENTENCES = {
        locales: "./locales",
        fallback_language: "en",
        // The marks that set off values of the other direction are in the pages' markup: `<bdi>`.
        customise: |bundle| bundle.set_use_isolating(false),
    };
}

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// en
    English,
    /// de
    German,
    /// ja
    Japanese,
}

impl Language {
    /// All of them, in the order in which they are offered.
    pub const ALL: [Self; 3] = [Self::English, Self::German, Self::Japanese];

    /// The primary subtag of RFC 5646: `de`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::Japanese => "ja",
        }
    }

    /// What it calls itself.
    pub const fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::Japanese => "日本語",
        }
    }

    /// The language of a tag such as `de-AT`, if the pages speak it.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_']).next()?;
        Self::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(primary))
    }

    /// The one of an `Accept-Language` header that its reader likes best (RFC 9110, section 12.5.4).
    pub fn accepted(header: &str) -> Option<Self> {
        let weighed = header.split(',').filter_map(|range| {
            let (tag, rest) = range.trim().split_once(';').unwrap_or((range.trim(), "q=1"));
            let weight: f32 = rest.trim().strip_prefix("q=")?.parse().ok().filter(|weight| *weight > 0.0)?;
            Some((Self::of_tag(tag)?, weight))
        });
        // The first of those that are liked equally.
        weighed.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(language, _)| language)
    }
}

/// The reader's language and time zone.
#[derive(Debug, Clone)]
pub struct Words {
    /// The language.
    pub language: Language,
    /// Where the reader's clock is.
    pub zone: TimeZone,
}

impl Words {
    /// The sentence called `key`; its values are given with [`Sentence::with`].
    pub fn say<'a>(&self, key: &'a str) -> Sentence<'a> {
        Sentence { language: self.language, key, values: HashMap::new() }
    }

    /// The sentence called `key`, if there is one: for what files of the operator name.
    pub fn known(&self, key: &str) -> Option<String> {
        let language = self.language.code().parse().ok()?;
        SENTENCES.try_lookup(&language, key)
    }

    /// A moment as the reader writes it, to the minute, in the reader's time zone.
    pub fn moment(&self, moment: impl Borrow<Timestamp>) -> String {
        let format = match self.language {
            Language::English => "%-d %b %Y, %H:%M",
            Language::German => "%d.%m.%Y, %H:%M",
            Language::Japanese => "%Y年%-m月%-d日 %H:%M",
        };
        moment.borrow().to_zoned(self.zone.clone()).strftime(format).to_string()
    }

    /// A whole number with the reader's marks between thousands.
    pub fn number(&self, number: i64) -> String {
        let mark = if self.language == Language::German { '.' } else { ',' };
        let digits = number.unsigned_abs().to_string();
        let mut written = if number < 0 { "-".to_owned() } else { String::new() };
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                written.push(mark);
            }
            written.push(digit);
        }
        written
    }
}

/// A sentence that is about to be said. Templates escape it like any text.
pub struct Sentence<'a> {
    language: Language,
    key: &'a str,
    values: HashMap<Cow<'static, str>, FluentValue<'static>>,
}

impl Sentence<'_> {
    /// With a text in the place called `name`.
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.values.insert(name.into(), value.to_string().into());
        self
    }

    /// With a count in the place called `name`: the sentence may have a form for one and another for many.
    pub fn count(mut self, name: &'static str, count: i64) -> Self {
        self.values.insert(name.into(), count.into());
        self
    }
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let language = self.language.code().parse().map_err(|_| fmt::Error)?;
        let said = SENTENCES.try_lookup_complete(&language, self.key, Some(&self.values));
        formatter.write_str(said.as_deref().unwrap_or(self.key))
    }
}

#[cfg(test)]
mod tests;
