//! The report as lines for a terminal, and how its figures are written.

use std::{fmt::Write, time::Duration};

use super::Report;

/// The report in words: what was not checked, then what was found.
pub fn words(report: &Report, what: &str) -> String {
    let mut words = format!("{what}\n");
    for not_checked in &report.not_checked {
        let remedy = not_checked.remedy().map(|remedy| format!(" ({remedy})")).unwrap_or_default();
        let _ = writeln!(words, "  not checked  {not_checked}{remedy}");
    }
    let verdict = if report.is_clean() { "verified" } else { "WRONG" };
    let none = || "none".to_owned();
    let tenant = report.tenant_id.map_or_else(|| "unknown".to_owned(), |tenant| tenant.to_string());
    let region = report.region.as_ref().map_or("unknown", |region| region.as_str());
    let lines = [
        format!("{what}: {verdict}"),
        format!("  tenant       {tenant}, at home in {region}"),
        format!("  events       {}, {} attachments", events(report, |count| count.to_string()), report.attachments),
        format!("  tree root    {}", report.root.map_or_else(none, |root| root.to_string())),
        format!("  key          {}", report.verifier.clone().unwrap_or_else(none)),
        format!("  cosigned     {}", cosigned(report)),
        format!("  held against {}", held_against(report)),
        format!("  read         {} objects, {} bytes", report.objects, report.bytes),
    ];
    let notes = report.notes.iter().map(|note| format!("  note         {note}"));
    let findings = report.findings.iter().map(|finding| format!("  wrong        {finding}"));
    for line in lines.into_iter().chain(notes).chain(findings) {
        let _ = writeln!(words, "{line}");
    }
    words
}

/// How many, and what holds them together.
pub(super) fn events(report: &Report, written: fn(u64) -> String) -> String {
    let count = written(report.size);
    match report.ticket {
        Some(ticket) => format!("{count} of ticket {ticket} and its files, each with its proof"),
        None => format!("{count} in {} generations", written(report.generations)),
    }
}

/// What somebody kept.
pub(super) fn held_against(report: &Report) -> String {
    let words: Vec<_> = report.held_against.iter().map(ToString::to_string).collect();
    if words.is_empty() { "nothing that was kept".to_owned() } else { words.join("; ") }
}

/// By whom, and up to where.
pub(super) fn cosigned(report: &Report) -> String {
    let words: Vec<_> = report.witnesses.iter().map(ToString::to_string).collect();
    if words.is_empty() { "by no other region".to_owned() } else { words.join("; ") }
}

/// A count with a thin space between thousands.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the unit people say.
pub fn size(bytes: u64) -> String {
    let units = ["bytes", "kB", "MB", "GB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{bytes} bytes") } else { format!("{value:.1} {}", units[unit]) }
}

/// A time that something took.
pub(super) fn duration(took: Duration) -> String {
    match took.as_secs() {
        0 => format!("{} ms", took.as_millis()),
        seconds @ 1..120 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        assert_eq!([7, 999, 1000, 1_234_567].map(grouped), ["7", "999", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!(
            [0, 999, 1000, 999_600, 5_400_000_000].map(size),
            ["0 bytes", "999 bytes", "1.0 kB", "1.0 MB", "5.4 GB"]
        );
        let took = [20, 1_500, 125_000].map(|ms| duration(Duration::from_millis(ms)));
        assert_eq!(took, ["20 ms", "1 s", "2 min 5 s"]);
    }
}
