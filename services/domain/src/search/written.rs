//! A query as it is written: terms with spaces between them. Everything that can be typed is one.

use std::fmt;

/// How a property and a value are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `:`, is.
    Is,
    /// `<`, less, or before.
    Less,
    /// `<=`
    AtMost,
    /// `>`, more, or after.
    Greater,
    /// `>=`
    AtLeast,
}

impl Operator {
    /// Longer ones first, so that none is taken for the beginning of another.
    const ALL: [Self; 5] = [Self::AtMost, Self::AtLeast, Self::Less, Self::Greater, Self::Is];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Is => ":",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// One term: a word, a phrase, or what a property is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Whether it begins with `-`: it is not to be so.
    pub is_negated: bool,
    /// The property, in small letters, and how it is compared; a text that is sought anywhere has none.
    pub property: Option<(String, Operator)>,
    /// The text.
    pub value: String,
    /// Whether the text stands in quotes.
    pub is_quoted: bool,
}

/// A query: its terms in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written(pub Vec<Term>);

impl Written {
    /// Reads a query. A word before an operator is a property if it is one; in `http://acme.example` it is none.
    pub fn read(query: &str, is_property: impl Fn(&str) -> bool) -> Self {
        let mut terms = Vec::new();
        let mut rest = query.trim_start();
        while !rest.is_empty() {
            let (term, after) = term(rest, &is_property);
            terms.push(term);
            rest = after.trim_start();
        }
        Self(terms)
    }
}

fn term<'q>(text: &'q str, is_property: &impl Fn(&str) -> bool) -> (Term, &'q str) {
    let (is_negated, text) = match text.strip_prefix('-') {
        Some(after) if !after.is_empty() && !after.starts_with(char::is_whitespace) => (true, after),
        _ => (false, text),
    };
    let (property, text) = match property(text) {
        Some((name, operator, after))
            if is_property(&name) && !after.is_empty() && !after.starts_with(char::is_whitespace) =>
        {
            (Some((name, operator)), after)
        }
        _ => (None, text),
    };
    let (value, is_quoted, after) = value(text);
    (Term { is_negated, property, value: value.to_owned(), is_quoted }, after)
}

/// A name with an operator behind it.
fn property(text: &str) -> Option<(String, Operator, &str)> {
    let (name, after) = text.split_at(text.find(|one: char| !one.is_ascii_alphanumeric() && one != '_')?);
    let operator = Operator::ALL.into_iter().find(|operator| after.starts_with(operator.as_str()))?;
    (!name.is_empty()).then(|| (name.to_ascii_lowercase(), operator, &after[operator.as_str().len()..]))
}

/// Up to the closing quote, or to the next space. A quote that is not closed is closed by the end.
fn value(text: &str) -> (&str, bool, &str) {
    match text.strip_prefix('"') {
        Some(quoted) => {
            let (value, after) = quoted.split_once('"').unwrap_or((quoted, ""));
            (value, true, after)
        }
        None => {
            let (value, after) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
            (value, false, after)
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_negated {
            formatter.write_str("-")?;
        }
        if let Some((name, operator)) = &self.property {
            write!(formatter, "{name}{}", operator.as_str())?;
        }
        if self.is_quoted { write!(formatter, "\"{}\"", self.value) } else { formatter.write_str(&self.value) }
    }
}

impl fmt::Display for Written {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let terms: Vec<String> = self.0.iter().map(Term::to_string).collect();
        formatter.write_str(&terms.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(query: &str) -> Written {
        Written::read(query, |name| matches!(name, "status" | "tags" | "created" | "subject"))
    }

    fn term(property: Option<(&str, Operator)>, value: &str, (is_negated, is_quoted): (bool, bool)) -> Term {
        let property = property.map(|(name, operator)| (name.to_owned(), operator));
        Term { is_negated, property, value: value.to_owned(), is_quoted }
    }

    #[test]
    fn a_query_is_read_into_terms() {
        let read = read(
            r#"kettle -smoke "quoted phrase" status<solved Tags:"a b" created>=2026-01-01 -subject:"x y" http://a.example"#,
        );
        let expected = [
            term(None, "kettle", (false, false)),
            term(None, "smoke", (true, false)),
            term(None, "quoted phrase", (false, true)),
            term(Some(("status", Operator::Less)), "solved", (false, false)),
            term(Some(("tags", Operator::Is)), "a b", (false, true)),
            term(Some(("created", Operator::AtLeast)), "2026-01-01", (false, false)),
            term(Some(("subject", Operator::Is)), "x y", (true, true)),
            term(None, "http://a.example", (false, false)),
        ];
        assert_eq!(read.0, expected);
    }

    #[test]
    fn what_is_half_typed_is_text() {
        for (query, value, is_quoted) in [
            ("status:", "status:", false),
            ("-", "-", false),
            ("\"open", "open", true),
            ("a\"b", "a\"b", false),
            (":x", ":x", false),
        ] {
            assert_eq!(read(query).0, [term(None, value, (false, is_quoted))], "{query}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_the_same(query in r#"([a-z"\-:<>=* ]|status|tags|created|ä|\PC){0,30}"#) {
            let once = read(&query);
            prop_assert_eq!(read(&once.to_string()), once, "{:?}", query);
        }
    }
}
