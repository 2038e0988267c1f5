//! A TOML file as fields with their lines: every wrong one is answered with file, line, field and what it takes.

use std::{ops::Range, path::Path};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::ConfigError;

/// A parsed file.
pub(super) struct Document<'text> {
    path: &'text Path,
    text: &'text str,
    root: Spanned<DeTable<'text>>,
}

/// A table of it, with the name it has in messages.
#[derive(Clone)]
pub(super) struct Table<'document> {
    path: &'document Path,
    text: &'document str,
    name: String,
    start: usize,
    fields: &'document DeTable<'document>,
}

impl<'text> Document<'text> {
    pub(super) fn parse(path: &'text Path, text: &'text str) -> Result<Self, ConfigError> {
        let root = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: line_of(text, error.span().map_or(0, |span| span.start)),
            message: error.message().lines().collect::<Vec<_>>().join(", "),
        })?;
        Ok(Self { path, text, root })
    }

    pub(super) fn root(&self) -> Table<'_> {
        Table { path: self.path, text: self.text, name: String::new(), start: 0, fields: self.root.get_ref() }
    }
}

impl<'document> Table<'document> {
    /// Refuses every field that is not in the list.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), ConfigError> {
        match self.fields.keys().find(|key| !known.contains(&key.get_ref().as_ref())) {
            None => Ok(()),
            Some(key) => {
                let takes = format!("is unknown; takes one of {}", known.join(", "));
                Err(self.error_at(key.span(), key.get_ref(), takes))
            }
        }
    }

    /// The names of its fields, in the file's spelling.
    pub(super) fn names(&self) -> impl Iterator<Item = &'document str> {
        self.fields.keys().map(|key| key.get_ref().as_ref())
    }

    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// A text for which `valid` holds.
    pub(super) fn text(
        &self,
        field: &str,
        takes: &str,
        valid: impl Fn(&str) -> bool,
    ) -> Result<&'document str, ConfigError> {
        let value = self.value(field, takes)?;
        value.get_ref().as_str().filter(|text| valid(text)).ok_or_else(|| self.wrong(field, takes))
    }

    /// A text that reads as a `T`.
    pub(super) fn parsed<T: std::str::FromStr>(&self, field: &str, takes: &str) -> Result<T, ConfigError> {
        let value = self.value(field, takes)?;
        value.get_ref().as_str().and_then(|text| text.parse().ok()).ok_or_else(|| self.wrong(field, takes))
    }

    /// A whole number that fits a `T` and is not 0.
    pub(super) fn number<T: TryFrom<u64>>(&self, field: &str, takes: &str) -> Result<T, ConfigError> {
        let value = self.value(field, takes)?;
        let number = value.get_ref().as_integer().and_then(|it| u64::from_str_radix(it.as_str(), it.radix()).ok());
        number.filter(|&it| it > 0).and_then(|it| T::try_from(it).ok()).ok_or_else(|| self.wrong(field, takes))
    }

    pub(super) fn boolean(&self, field: &str) -> Result<bool, ConfigError> {
        const TAKES: &str = "takes true or false";
        self.value(field, TAKES)?.get_ref().as_bool().ok_or_else(|| self.wrong(field, TAKES))
    }

    /// A list of texts for which `valid` holds.
    pub(super) fn texts(
        &self,
        field: &str,
        takes: &str,
        valid: impl Fn(&str) -> bool,
    ) -> Result<Vec<&'document str>, ConfigError> {
        let list = self.value(field, takes)?.get_ref().as_array().ok_or_else(|| self.wrong(field, takes))?;
        list.iter()
            .map(|item| {
                let text = item.get_ref().as_str().filter(|text| valid(text));
                text.ok_or_else(|| self.error_at(item.span(), field, takes.to_owned()))
            })
            .collect()
    }

    pub(super) fn table(&self, field: &str) -> Result<Table<'document>, ConfigError> {
        let takes = format!("takes a table, [{}]", self.qualified(field));
        let value = self.value(field, &takes)?;
        let fields = value.get_ref().as_table().ok_or_else(|| self.wrong(field, &takes))?;
        Ok(self.child(self.qualified(field), value.span(), fields))
    }

    /// The table, if the file has it.
    pub(super) fn optional_table(&self, field: &str) -> Result<Option<Table<'document>>, ConfigError> {
        if self.has(field) { self.table(field).map(Some) } else { Ok(None) }
    }

    /// A list of tables, `[[field]]`.
    pub(super) fn tables(&self, field: &str) -> Result<Vec<Table<'document>>, ConfigError> {
        let takes = format!("takes tables, [[{}]]", self.qualified(field));
        let list = self.value(field, &takes)?.get_ref().as_array().ok_or_else(|| self.wrong(field, &takes))?;
        list.iter()
            .map(|item| {
                let fields = item.get_ref().as_table();
                let fields = fields.ok_or_else(|| self.error_at(item.span(), field, takes.clone()))?;
                Ok(self.child(self.qualified(field), item.span(), fields))
            })
            .collect()
    }

    /// The error for a field whose value is wrong.
    pub(super) fn wrong(&self, field: &str, takes: &str) -> ConfigError {
        let span = self.fields.get(field).map_or(self.start..self.start, Spanned::span);
        self.error_at(span, field, takes.to_owned())
    }

    fn value(&self, field: &str, takes: &str) -> Result<&'document Spanned<DeValue<'document>>, ConfigError> {
        self.fields.get(field).ok_or_else(|| self.wrong(field, &format!("is missing; {takes}")))
    }

    fn child(&self, name: String, span: Range<usize>, fields: &'document DeTable<'document>) -> Self {
        Self { path: self.path, text: self.text, name, start: span.start, fields }
    }

    fn error_at(&self, span: Range<usize>, field: &str, takes: String) -> ConfigError {
        ConfigError::Field {
            path: self.path.to_owned(),
            line: line_of(self.text, span.start),
            field: self.qualified(field),
            takes,
        }
    }

    fn qualified(&self, field: &str) -> String {
        if self.name.is_empty() { field.to_owned() } else { format!("{}.{field}", self.name) }
    }
}

/// The line of a byte, from 1.
fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}
