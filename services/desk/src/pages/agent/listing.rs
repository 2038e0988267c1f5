//! `GET /agent` and `/agent/views/{id}?sort=&order=&page=`: the views with their counts, and the tickets of one of them.

use askama::Template;
use axum::extract::{Path, State};
use domain::{
    rule::{Column, Unknown, Vocabulary},
    ticket_field::Known,
};
use schemas::values::SortOrder;

use super::{
    Insider, Shell,
    shelf::{self, Shelf},
    table::{self, Row},
    terms,
};
use crate::{
    api::v2::{page::PageQuery, views},
    caller::Caller,
    pages::frame::Frame,
    problem::{ApiError, ApiResult},
    read::{self, Window},
    state::Desk,
};

/// Tickets on a page.
const PAGE_LENGTH: i64 = 30;
/// The page beyond which nobody turns: a search finds what lies so deep.
const PAGE_MAX: i64 = 300;

#[derive(Template)]
#[template(path = "agent/views.html")]
struct ViewsPage<'a> {
    frame: &'a Frame,
    shell: Shell,
    shelves: Vec<Counted>,
    title: String,
    count: i64,
    heads: Vec<Head>,
    rows: Vec<Row>,
    previous: Option<String>,
    next: Option<String>,
}

/// A view beside the tickets.
struct Counted {
    id: String,
    title: String,
    count: i64,
    is_shown: bool,
}

/// What stands above a column.
struct Head {
    title: String,
    /// The address that sorts by it, if tickets are sorted by it.
    link: Option<String>,
    /// `ascending`, `descending` or nothing, as `aria-sort` has it.
    sorted: &'static str,
}

/// How the tickets of a page were asked for.
struct Asked {
    sort: Option<String>,
    order: SortOrder,
    page: i64,
}

impl Asked {
    fn read(query: &PageQuery) -> Result<Self, ApiError> {
        let page = query.get("page").unwrap_or("1").parse().ok().filter(|page| (1..=PAGE_MAX).contains(page));
        let page = page.ok_or_else(|| ApiError::invalid_parameter("page", "an integer from 1 to 300"))?;
        let order = if query.get("order") == Some("desc") { SortOrder::Descending } else { SortOrder::Ascending };
        Ok(Self { sort: query.get("sort").filter(|word| !word.is_empty()).map(str::to_owned), order, page })
    }

    /// The address of a page of a view.
    fn address(&self, shelf: &str, page: i64) -> String {
        let sort = self.sort.as_ref().map(|sort| format!("sort={sort}&order={}&", self.order.as_str()));
        format!("/agent/views/{shelf}?{}page={page}", sort.unwrap_or_default())
    }
}

/// The first view there is.
pub(super) async fn first(
    State(desk): State<Desk>,
    Insider(caller): Insider,
    frame: Frame,
    query: PageQuery,
) -> ApiResult {
    let shelves = shelf::all(&desk, &caller, &frame.words).await?;
    page((&desk, &caller, &frame), shelves, 0, Asked::read(&query)?).await
}

/// The view that the address names.
pub(super) async fn show(
    State(desk): State<Desk>,
    Insider(caller): Insider,
    frame: Frame,
    Path(id): Path<String>,
    query: PageQuery,
) -> ApiResult {
    let mut shelves = shelf::all(&desk, &caller, &frame.words).await?;
    let place = match shelves.iter().position(|shelf| shelf.id == id) {
        Some(place) => place,
        None => {
            shelves.push(shelf::one(&desk, &caller, &frame.words, &id).await?);
            shelves.len() - 1
        }
    };
    page((&desk, &caller, &frame), shelves, place, Asked::read(&query)?).await
}

async fn page(
    (desk, caller, frame): (&Desk, &Caller, &Frame),
    mut shelves: Vec<Shelf>,
    place: usize,
    mut asked: Asked,
) -> ApiResult {
    let resident = &caller.resident;
    let mut transaction = desk.reading(resident).await?;
    let known = read::ticket_fields::known(&mut transaction, resident).await?;
    let vocabulary = Vocabulary { fields: &known, unknown: Unknown::Empty };
    // What is sorted by is one of the columns' words, or nothing was asked.
    asked.sort = asked.sort.filter(|word| Column::ALL.iter().any(|(_, known, _)| known == word));
    let shelf = &mut shelves[place];
    if let (Some(sort), Some(output)) = (&asked.sort, &mut shelf.definition.output) {
        output.group_by = None;
        (output.sort_by, output.sort_order) = (Some(sort.clone()), asked.order);
    }
    let mut counted = Vec::with_capacity(shelves.len());
    for (index, shelf) in shelves.iter().enumerate() {
        let list = views::tickets(desk, caller, &mut transaction, &shelf.definition).await?;
        let count = list.count(&mut transaction, resident).await?;
        counted.push(Counted { id: shelf.id.clone(), title: shelf.title.clone(), count, is_shown: index == place });
    }
    let shelf = &shelves[place];
    let list = views::tickets(desk, caller, &mut transaction, &shelf.definition).await?;
    let window = Window {
        after: 0,
        before: None,
        limit: PAGE_LENGTH + 1,
        offset: (asked.page - 1) * PAGE_LENGTH,
        is_by_offset: true,
    };
    let mut ids = list.ids(&mut transaction, resident, window).await?;
    let has_more = ids.len() > usize::try_from(PAGE_LENGTH).unwrap_or_default();
    ids.truncate(usize::try_from(PAGE_LENGTH).unwrap_or_default());
    let columns = columns(shelf, vocabulary);
    let rows = table::rows(&mut transaction, (caller, &frame.words), &ids, (&columns, &known)).await?;
    drop(transaction);
    let link = |page| asked.address(&shelf.id, page);
    frame.page(&ViewsPage {
        frame,
        shell: Shell::of(caller),
        title: shelf.title.clone(),
        count: counted[place].count,
        shelves: counted,
        heads: columns.iter().map(|column| head(*column, (shelf, &asked), (frame, &known))).collect(),
        rows,
        previous: (asked.page > 1).then(|| link(asked.page - 1)),
        next: (has_more && asked.page < PAGE_MAX).then(|| link(asked.page + 1)),
    })
}

/// The columns of a view; the subject is always among them, for it leads to the ticket.
fn columns(shelf: &Shelf, vocabulary: Vocabulary<'_>) -> Vec<Column> {
    let named = shelf.definition.output.iter().flat_map(|output| output.columns.iter());
    let mut columns: Vec<Column> = named.filter_map(|word| Column::read("columns", word, vocabulary).ok()).collect();
    columns.retain(|column| *column != Column::Subject);
    columns.insert(0, Column::Subject);
    columns
}

fn head(column: Column, (shelf, asked): (&Shelf, &Asked), (frame, known): (&Frame, &[Known])) -> Head {
    let output = shelf.definition.output.as_ref();
    let by = output.and_then(|output| output.sort_by.as_deref());
    let is_ascending = output.is_some_and(|output| output.sort_order == SortOrder::Ascending);
    let vocabulary = Vocabulary { fields: known, unknown: Unknown::Empty };
    let is_by = by.and_then(|word| Column::read("sort_by", word, vocabulary).ok()) == Some(column);
    let sorted = match (is_by, is_ascending) {
        (false, _) => "",
        (true, true) => "ascending",
        (true, false) => "descending",
    };
    // Once more turns it round.
    let order = if is_by && is_ascending { SortOrder::Descending } else { SortOrder::Ascending };
    let again = Asked { sort: Some(column.word()), order, ..Asked { sort: None, order: asked.order, page: 1 } };
    let link = column.is_sortable().then(|| again.address(&shelf.id, 1));
    Head { title: terms::column(&frame.words, column, known), link, sorted }
}

#[cfg(test)]
mod tests;
