//! Rows on their way into a table of a build: what a row holds is said once, whichever way it is written.

use schemas::TenantId;
use sqlx::{
    Encode, Postgres, QueryBuilder, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo},
};

/// A row of a table, but for the tenant, which the build knows.
pub(crate) trait Row {
    /// The table, without the schema.
    const TABLE: &'static str;

    /// Hands over the columns, the same ones in the same order for every row of the type. The first is, after `tenant_id`, the key.
    fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError>;
}

/// What takes the columns of a row.
pub(crate) trait Columns {
    /// A column of one value.
    fn value<'v, T>(&mut self, name: &'static str, value: T) -> Result<(), BoxDynError>
    where
        T: Encode<'v, Postgres> + Type<Postgres> + PgHasArrayType;

    /// A column of many.
    fn list<T>(&mut self, name: &'static str, values: &[T]) -> Result<(), BoxDynError>
    where
        T: for<'v> Encode<'v, Postgres> + Type<Postgres> + PgHasArrayType + ToString;
}

/// The names of the columns.
#[derive(Default)]
struct Names(Vec<&'static str>);

impl Columns for Names {
    fn value<'v, T: Encode<'v, Postgres>>(&mut self, name: &'static str, _value: T) -> Result<(), BoxDynError> {
        self.0.push(name);
        Ok(())
    }

    fn list<T>(&mut self, name: &'static str, _values: &[T]) -> Result<(), BoxDynError> {
        self.0.push(name);
        Ok(())
    }
}

fn names<R: Row>(rows: &[R]) -> Result<Vec<&'static str>, BoxDynError> {
    let mut names = Names::default();
    rows.first().map(|row| row.columns(&mut names)).transpose()?;
    Ok(names.0)
}

/// A value with its length before it, as arrays and copied rows have it (PostgreSQL, section 55.7 and reference page of `COPY`).
fn append<'v, T: Encode<'v, Postgres>>(to: &mut PgArgumentBuffer, value: T) -> Result<(), BoxDynError> {
    let start = to.len();
    to.extend_from_slice(&(-1_i32).to_be_bytes());
    if let IsNull::No = value.encode(to)? {
        let length = i32::try_from(to.len() - start - 4)?;
        to[start..start + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

/// Rows as `COPY ... FROM STDIN (FORMAT binary)` takes them (PostgreSQL, reference page of `COPY`).
pub(super) struct Copied {
    /// The statement that takes them.
    pub(super) statement: String,
    /// The rows, between header and trailer.
    pub(super) bytes: Vec<u8>,
}

impl Copied {
    pub(super) fn new<R: Row>(tenant: TenantId, rows: &[R]) -> Result<Self, BoxDynError> {
        let names = names(rows)?;
        let statement = format!("copy {} (tenant_id, {}) from stdin (format binary)", R::TABLE, names.join(", "));
        let width = i16::try_from(1 + names.len())?;
        let mut fields = Fields(PgArgumentBuffer::default());
        // The signature, no flags, no extension.
        fields.0.extend_from_slice(b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        for (number, row) in rows.iter().enumerate() {
            fields.0.extend_from_slice(&width.to_be_bytes());
            append(&mut fields.0, tenant.get())?;
            row.columns(&mut fields)?;
            if number == 0 {
                // Rows of a table are about as long as one another.
                let length = fields.0.len();
                fields.0.reserve(length * rows.len());
            }
        }
        fields.0.extend_from_slice(&(-1_i16).to_be_bytes());
        Ok(Self { statement, bytes: std::mem::take(&mut *fields.0) })
    }
}

/// The fields of copied rows, one after another.
struct Fields(PgArgumentBuffer);

impl Columns for Fields {
    fn value<'v, T: Encode<'v, Postgres>>(&mut self, _name: &'static str, value: T) -> Result<(), BoxDynError> {
        append(&mut self.0, value)
    }

    fn list<T>(&mut self, _name: &'static str, values: &[T]) -> Result<(), BoxDynError>
    where
        T: for<'v> Encode<'v, Postgres> + Type<Postgres>,
    {
        append(&mut self.0, values)
    }
}

/// What becomes of a row whose key is in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conflict {
    /// It is refused.
    Refuse,
    /// It replaces the one that is there.
    Replace,
}

/// The statement that inserts rows, however many there are.
pub(super) fn insertion<R: Row>(
    tenant: TenantId,
    rows: &[R],
    conflict: Conflict,
) -> Result<QueryBuilder<Postgres>, BoxDynError> {
    let names = names(rows)?;
    let mut arrays = Arrays::default();
    for row in rows {
        arrays.next = 0;
        row.columns(&mut arrays)?;
    }
    let mut insertion =
        QueryBuilder::new(format!("insert into {} (tenant_id, {}) select ", R::TABLE, names.join(", ")));
    insertion.push_bind(tenant.get());
    for (name, array) in names.iter().zip(&arrays.columns) {
        insertion.push(format_args!(", {name}{}", array.cast));
    }
    insertion.push(" from unnest(");
    let mut columns = insertion.separated(", ");
    for array in arrays.columns {
        columns.push_bind(array);
    }
    insertion.push(format_args!(") as row ({})", names.join(", ")));
    if let (Conflict::Replace, [key, others @ ..]) = (conflict, names.as_slice()) {
        let replace: Vec<_> = others.iter().map(|name| format!("{name} = excluded.{name}")).collect();
        insertion.push(format_args!(" on conflict (tenant_id, {key}) do update set {}", replace.join(", ")));
    }
    Ok(insertion)
}

/// The columns of rows, each an array.
#[derive(Default)]
struct Arrays {
    columns: Vec<Array>,
    /// Which column comes next.
    next: usize,
}

impl Arrays {
    fn next(&mut self, array: impl FnOnce() -> Array) -> &mut Array {
        if self.columns.len() == self.next {
            self.columns.push(array());
        }
        self.next += 1;
        &mut self.columns[self.next - 1]
    }
}

impl Columns for Arrays {
    fn value<'v, T>(&mut self, _name: &'static str, value: T) -> Result<(), BoxDynError>
    where
        T: Encode<'v, Postgres> + Type<Postgres> + PgHasArrayType,
    {
        self.next(Array::of::<T>).push(value)
    }

    /// As text, which the statement casts: `unnest` would flatten arrays of arrays.
    fn list<T>(&mut self, _name: &'static str, values: &[T]) -> Result<(), BoxDynError>
    where
        T: PgHasArrayType + ToString,
    {
        let cast = || Array { cast: format!("::{}", T::array_type_info()), ..Array::of::<String>() };
        self.next(cast).push(array_literal(values))
    }
}

/// A column of many rows, as an array (PostgreSQL, `array_recv`).
struct Array {
    element: PgTypeInfo,
    array: PgTypeInfo,
    /// What the statement makes of an element.
    cast: String,
    length: i32,
    elements: PgArgumentBuffer,
}

impl Array {
    fn of<T: Type<Postgres> + PgHasArrayType>() -> Self {
        let (element, array) = (T::type_info(), T::array_type_info());
        Self { element, array, cast: String::new(), length: 0, elements: PgArgumentBuffer::default() }
    }

    fn push<'v, T: Encode<'v, Postgres>>(&mut self, value: T) -> Result<(), BoxDynError> {
        self.length += 1;
        append(&mut self.elements, value)
    }
}

impl Type<Postgres> for Array {
    /// Of what is known only when it is encoded.
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("anyarray")
    }
}

impl Encode<'_, Postgres> for Array {
    fn encode_by_ref(&self, to: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let element = self.element.oid().ok_or("columns have types that Postgres brings along")?;
        let [dimensions, may_hold_nulls, lower_bound] = [1_i32, 1, 1].map(i32::to_be_bytes);
        to.extend_from_slice(&[dimensions, may_hold_nulls, element.0.to_be_bytes()].concat());
        to.extend_from_slice(&[self.length.to_be_bytes(), lower_bound].concat());
        to.extend_from_slice(&self.elements);
        Ok(IsNull::No)
    }

    fn produces(&self) -> Option<PgTypeInfo> {
        Some(self.array.clone())
    }
}

/// A Postgres array as text (PostgreSQL, section 8.15.2).
fn array_literal<T: ToString>(items: &[T]) -> String {
    let quoted = |item: &T| format!("\"{}\"", item.to_string().replace('\\', "\\\\").replace('"', "\\\""));
    format!("{{{}}}", items.iter().map(quoted).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use sqlx::types::Json;

    use super::*;

    struct Sample;

    impl Row for Sample {
        const TABLE: &'static str = "sample";

        fn columns(&self, to: &mut impl Columns) -> Result<(), BoxDynError> {
            to.value("number", 7_i64)?;
            to.value("text", None::<&str>)?;
            to.list("tags", &["a".to_owned()])?;
            to.value("entries", Json([true]))
        }
    }

    #[test]
    fn copied_rows_are_as_postgres_describes_them() -> Result<(), BoxDynError> {
        let copied = Copied::new(TenantId::new(uuid::Uuid::max()), &[Sample, Sample])?;
        assert_eq!(copied.statement, "copy sample (tenant_id, number, text, tags, entries) from stdin (format binary)");
        let (header, rows) = copied.bytes.split_at(19);
        assert_eq!(header, b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0");
        let row = [
            &[0, 5, 0, 0, 0, 16][..],
            &[255; 16],
            &[0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7],
            // Null has a length of -1.
            &[255; 4],
            // One dimension, no nulls, elements of type 25, one of them, counted from 1.
            &[0, 0, 0, 25, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 25, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, b'a'],
            // The format's version, and text.
            b"\0\0\0\x07\x01[true]",
        ]
        .concat();
        assert_eq!(rows, [&row[..], &row, &[255, 255]].concat());
        Ok(())
    }

    #[test]
    fn one_statement_inserts_any_number_of_rows() -> Result<(), BoxDynError> {
        let statement = |rows: &[Sample], conflict| {
            anyhow::Ok(insertion(TenantId::new(uuid::Uuid::max()), rows, conflict).expect("encodes").into_string())
        };
        let refusing = statement(&[Sample], Conflict::Refuse)?;
        assert_eq!(
            refusing,
            "insert into sample (tenant_id, number, text, tags, entries) select $1, number, text, tags::TEXT[], entries \
             from unnest($2, $3, $4, $5) as row (number, text, tags, entries)"
        );
        let replacing = statement(&[Sample, Sample], Conflict::Replace)?;
        let tail = " on conflict (tenant_id, number) do update set text = excluded.text, tags = excluded.tags, \
                    entries = excluded.entries";
        assert_eq!(replacing.strip_prefix(&refusing), Some(tail));
        Ok(())
    }

    #[test]
    fn an_array_literal_keeps_quotes_and_backslashes() {
        assert_eq!(array_literal(&["a", "b c", "\"\\,{}"]), r#"{"a","b c","\"\\,{}"}"#);
        assert_eq!(array_literal::<i64>(&[]), "{}");
    }
}
