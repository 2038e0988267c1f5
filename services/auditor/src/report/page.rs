//! The report as a page to print: one file, without script, font or any request.

use std::time::Duration;

use askama::Template;
use jiff::{Timestamp, Unit};

use super::{
    Report,
    text::{cosigned, duration, events, grouped, held_against, size},
};

/// What a report is about, beside what it found.
#[derive(Debug, Clone)]
pub struct About {
    /// What was verified: a tenant's address in its region, or a folder.
    pub what: String,
    /// When it was done.
    pub done_at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// By which program.
    pub program: &'static str,
}

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
struct Page<'report> {
    about: &'report About,
    report: &'report Report,
    done_at: Timestamp,
    took: String,
    facts: Vec<(&'static str, String)>,
}

/// The report as one HTML file.
pub fn page(report: &Report, about: &About) -> String {
    let none = || "none".to_owned();
    let facts = vec![
        ("Tenant", report.tenant_id.map_or_else(none, |tenant| tenant.to_string())),
        ("Home region", report.region.as_ref().map_or_else(none, ToString::to_string)),
        ("Events", events(report, grouped)),
        ("Tree root", report.root.map_or_else(none, |root| root.to_string())),
        ("Key", report.verifier.clone().unwrap_or_else(none)),
        ("Cosigned", cosigned(report)),
        ("Held against", held_against(report)),
        ("Attachments", grouped(report.attachments)),
        ("Read", format!("{} objects, {}", grouped(report.objects), size(report.bytes))),
    ];
    let done_at = about.done_at.round(Unit::Second).unwrap_or(about.done_at);
    let page = Page { about, report, done_at, took: duration(about.took), facts };
    page.render().expect("the template writes to memory and cannot fail")
}
