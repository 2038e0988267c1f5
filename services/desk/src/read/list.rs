//! Lists whose conditions vary: the statement holds only those that are asked for, so that each finds its index. They go by id; pages by
//! offset may have another order.

use regions::Resident;
use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::Window;

/// Adds conditions, each beginning with `and`.
type Narrow = Box<dyn Fn(&mut QueryBuilder<Postgres>) + Send + Sync>;

/// The rows of one tenant in a table, narrowed. Names of tables and columns are literals of this crate.
pub(crate) struct List {
    table: &'static str,
    key: &'static str,
    narrow: Narrow,
    order: Option<String>,
}

impl List {
    /// Rows of `table`, in the order of `key`.
    pub(crate) fn new(
        (table, key): (&'static str, &'static str),
        narrow: impl Fn(&mut QueryBuilder<Postgres>) + Send + Sync + 'static,
    ) -> Self {
        Self { table, key, narrow: Box::new(narrow), order: None }
    }

    /// The same, pages by offset in another order: expressions that are literals of this crate.
    pub(crate) fn ordered(self, order: String) -> Self {
        Self { order: Some(order), ..self }
    }

    /// The keys of a window, in the order of the list.
    pub(crate) async fn ids(
        &self,
        conn: &mut PgConnection,
        resident: &Resident,
        window: Window,
    ) -> Result<Vec<i64>, sqlx::Error> {
        let Self { table, key, .. } = self;
        let mut statement = self.selecting(resident, key);
        match window.before {
            Some(before) => statement.push(format_args!(" and {table}.{key} < ")).push_bind(before),
            None => statement.push(format_args!(" and {table}.{key} > ")).push_bind(window.after),
        };
        let order = if window.before.is_some() { "desc" } else { "asc" };
        match self.order.as_ref().filter(|_| window.is_by_offset) {
            Some(other) => statement.push(format_args!(" order by {other}, {table}.{key} limit ")),
            None => statement.push(format_args!(" order by {table}.{key} {order} limit ")),
        };
        statement.push_bind(window.limit);
        statement.push(" offset ").push_bind(window.offset);
        let mut ids: Vec<i64> = statement.build_query_scalar().fetch_all(conn).await?;
        if window.before.is_some() {
            ids.reverse();
        }
        Ok(ids)
    }

    /// How many there are.
    pub(crate) async fn count(&self, conn: &mut PgConnection, resident: &Resident) -> Result<i64, sqlx::Error> {
        self.selecting(resident, "count(*)").build_query_scalar().fetch_one(conn).await
    }

    fn selecting(&self, resident: &Resident, what: &str) -> QueryBuilder<Postgres> {
        let table = self.table;
        let what = if what == self.key { format!("{table}.{what}") } else { what.to_owned() };
        let mut statement = QueryBuilder::new(format!("select {what} from {table} where {table}.tenant_id = "));
        statement.push_bind(resident.tenant_id().get());
        (self.narrow)(&mut statement);
        statement
    }
}
