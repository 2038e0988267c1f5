//! `--report FILE`: the report of a verification, kept.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr,
};

use auditor::{
    Report,
    report::{About, page, words},
};

use crate::exit::{Failure, Outcome};

/// Where a report goes, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportFile {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Page,
    Json,
    Text,
}

impl FromStr for ReportFile {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let path = PathBuf::from(text);
        let kind = match path.extension().and_then(|ending| ending.to_str()) {
            Some("html") => Kind::Page,
            Some("json") => Kind::Json,
            Some("txt") => Kind::Text,
            _ => return Err("takes a file that ends in .html, .json or .txt"),
        };
        Ok(Self { path, kind })
    }
}

/// A report file whose place can be written to.
pub(super) struct Created<'file>(&'file ReportFile);

impl ReportFile {
    /// Makes sure that the report can be written once there is one. What is there already stays until then.
    pub(super) fn create(&self) -> Result<Created<'_>, Failure> {
        let partial = self.partial();
        fs::write(&partial, "").map_err(|error| self.unwritten(&error))?;
        fs::remove_file(&partial).map_err(|error| self.unwritten(&error))?;
        Ok(Created(self))
    }

    fn partial(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".partial");
        name.into()
    }

    fn unwritten(&self, error: &std::io::Error) -> Failure {
        Failure::usage(format!("--report: {} cannot be written: {error}", Path::display(&self.path)))
    }
}

impl Created<'_> {
    /// Writes it, whole or not at all.
    pub(super) fn write(&self, report: &Report, about: &About) -> Outcome {
        let Self(file) = self;
        let text = match file.kind {
            Kind::Page => page(report, about),
            Kind::Json => serde_json::to_string_pretty(report)? + "\n",
            Kind::Text => words(report, &about.what),
        };
        let partial = file.partial();
        let written = fs::write(&partial, text).and_then(|()| fs::rename(&partial, &file.path));
        written.map_err(|error| file.unwritten(&error))?;
        eprintln!("report: {}", file.path.display());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_file_says_by_its_name_what_it_is() {
        for (name, kind) in [("a.html", Kind::Page), ("b/c.json", Kind::Json), ("d.txt", Kind::Text)] {
            assert_eq!(name.parse(), Ok(ReportFile { path: name.into(), kind }));
        }
        for name in ["report", "report.pdf", ""] {
            assert!(name.parse::<ReportFile>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_place_that_cannot_be_written_is_found_before_the_work() {
        let file: ReportFile = "/nowhere/report.html".parse().expect("a name");
        assert!(file.create().err().is_some_and(|failure| failure.to_string().starts_with("--report: /nowhere/")));
    }
}
