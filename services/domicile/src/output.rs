//! What commands print: tables for people, JSON for programs.

use clap::ValueEnum;
use comfy_table::{Cell, CellAlignment, Table, presets};
use serde::Serialize;

use crate::exit::Outcome;

/// How a list is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Format {
    /// Columns for people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON object a line.
    Ndjson,
}

/// A row of a list.
pub trait Row: Serialize {
    /// The columns' headings.
    const HEADINGS: &'static [&'static str];

    /// The cells, one for each heading.
    fn cells(&self) -> Vec<String>;
}

/// Prints a list.
pub fn print_list<R: Row>(rows: &[R], format: Format) -> Outcome {
    match format {
        Format::Table => println!("{}", table(rows)),
        Format::Json => println!("{}", serde_json::to_string_pretty(rows)?),
        Format::Ndjson => {
            for row in rows {
                println!("{}", serde_json::to_string(row)?);
            }
        }
    }
    Ok(())
}

/// Prints one thing: a document for programs, words for people.
pub fn print_one(value: &impl Serialize, format: Format, in_words: impl FnOnce() -> String) -> Outcome {
    match format {
        Format::Table => print!("{}", in_words()),
        Format::Json => println!("{}", serde_json::to_string_pretty(value)?),
        Format::Ndjson => println!("{}", serde_json::to_string(value)?),
    }
    Ok(())
}

/// A table without lines; numbers to the right.
pub fn table<R: Row>(rows: &[R]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(R::HEADINGS);
    for row in rows {
        let is_number = |text: &str| {
            !text.is_empty() && text.chars().all(|character| character.is_ascii_digit() || ".,-x".contains(character))
        };
        table.add_row(row.cells().into_iter().map(|text| {
            let alignment = if is_number(&text) { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(text).set_alignment(alignment)
        }));
    }
    table
}
