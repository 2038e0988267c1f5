//! Times, as queries say them: days, moments, and how long ago. Days are those of UTC.

use jiff::{Span, Timestamp, Zoned, civil::Date, tz::TimeZone};

use crate::search::written::Operator;

const TAKES: &str = "a date such as 2026-11-23, a moment such as 2026-11-23T08:00:00Z, or how long ago, such as 4hours";

/// The first moment that Postgres and RFC 3339 both write: the beginning of the year 1.
const FIRST: Timestamp = Timestamp::constant(-62_135_596_800, 0);

/// From when on, and before when.
type Between = (Option<Timestamp>, Option<Timestamp>);

/// What a time and an operator leave: of a day, a month or a year, `<` is before it and `>` after it.
pub(super) fn between(text: &str, operator: Operator, now: Timestamp) -> Result<Between, String> {
    if let Some(ago) = ago(text, now) {
        // Longer ago is earlier: `created>4hours` was made since then.
        return Ok(match operator {
            Operator::Less | Operator::AtMost => (None, Some(ago)),
            Operator::Greater | Operator::AtLeast | Operator::Is => (Some(ago), None),
        });
    }
    let (from, to) = span(text).ok_or(TAKES)?;
    Ok(match operator {
        Operator::Is => (Some(from), Some(to)),
        Operator::Less => (None, Some(from)),
        Operator::AtMost => (None, Some(to)),
        Operator::Greater => (Some(to), None),
        Operator::AtLeast => (Some(from), None),
    })
}

/// The first moment of what is named, and the first after it.
fn span(text: &str) -> Option<(Timestamp, Timestamp)> {
    let upper = text.to_uppercase();
    if let Ok(at) = upper.parse::<Timestamp>() {
        let at = Some(at).filter(|at| *at >= FIRST)?;
        return Some((at, at.checked_add(jiff::SignedDuration::from_secs(1)).ok()?));
    }
    let numbers: Vec<&str> = text.split('-').collect();
    let number = |at: usize, length: usize| numbers.get(at).filter(|part| part.len() == length)?.parse::<i16>().ok();
    let small = |at: usize| number(at, 2).and_then(|number| i8::try_from(number).ok());
    let (first, length) = match numbers.len() {
        1 => (Date::new(number(0, 4)?, 1, 1).ok()?, Span::new().years(1)),
        2 => (Date::new(number(0, 4)?, small(1)?, 1).ok()?, Span::new().months(1)),
        3 => (Date::new(number(0, 4)?, small(1)?, small(2)?).ok()?, Span::new().days(1)),
        _ => return None,
    };
    let instant = |day: Date| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let from = instant(first).filter(|from| *from >= FIRST)?;
    Some((from, instant(first.checked_add(length).ok()?)?))
}

/// A moment so long before now.
fn ago(text: &str, now: Timestamp) -> Option<Timestamp> {
    let (count, unit) = text.split_at(text.find(|one: char| !one.is_ascii_digit())?);
    let count: i64 = count.parse().ok()?;
    let span = Span::new();
    let span = match unit.trim_start().trim_end_matches('s') {
        "minute" => span.try_minutes(count),
        "hour" => span.try_hours(count),
        "day" => span.try_days(count),
        "week" => span.try_weeks(count),
        "month" => span.try_months(count),
        "year" => span.try_years(count),
        _ => return None,
    };
    let now: Zoned = now.to_zoned(TimeZone::UTC);
    Some(now.checked_sub(span.ok()?).ok()?.timestamp()).filter(|ago| *ago >= FIRST)
}
