//! `domicile restore beside`, `list`, `show`, `diff` and `drop`: a tenant as it was, beside the living one.

use auditor::replay::{AsOf, Kind, State};
use clap::Args;
use restorer::{
    Beside, RestorerDeps, beside,
    diff::{self, Difference},
};
use schemas::{StreamName, TenantId};
use serde::Serialize;
use serde_json::Value;

use super::{RestoreBar, region::said};
use crate::{
    cli::{RegionFormatOption, RegionOption, TenantOption},
    commands::audit::{
        Moment, in_words,
        visit::{self, Purpose},
    },
    deployment::Deployment,
    exit::{Failure, Outcome},
    output::{Format, Row, print_list, print_one},
};

/// The longest value shown in a column; everything is in the other formats.
const VALUE_LENGTH_MAX: usize = 60;

/// `domicile restore beside`.
#[derive(Debug, Args)]
pub struct Make {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub tenant: TenantOption,
    /// Everything up to this moment; all of the archive when absent.
    #[arg(long, value_name = "TIME|POSITION")]
    pub at: Option<Moment>,
    /// What to call the copy: 1 to 24 lower-case letters, digits or '-', not drill- at the beginning.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `domicile restore diff`.
#[derive(Debug, Args)]
pub struct Named {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub list: RegionFormatOption,
    /// The copy, as it was called.
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// Why you look: the tenant's access log tells it, and says "none given" without.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `domicile restore show`.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub named: Named,
    /// One stream, such as ticket-42, with everything that was in it.
    #[arg(long, value_name = "STREAM")]
    pub stream: Option<StreamName>,
}

/// `domicile restore drop`.
#[derive(Debug, Args)]
pub struct Drop {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub region: RegionOption,
    /// The copy, as it was called.
    #[arg(long, value_name = "NAME")]
    pub name: String,
}

#[derive(Serialize)]
struct CopyRow {
    name: String,
    tenant: Option<String>,
    tenant_id: Option<TenantId>,
    position: i64,
    asked: String,
    begun_at: Option<String>,
    state: &'static str,
}

impl From<Beside> for CopyRow {
    fn from(found: Beside) -> Self {
        let (tenant_id, tenant) = found.tenant.map(|(id, slug)| (id, slug.to_string())).unzip();
        let begun_at = found.begun_at.map(|at| at.to_string());
        let state = match found.state {
            beside::State::Whole => "whole",
            beside::State::UnderWay => "under way",
            beside::State::Interrupted => "interrupted",
        };
        let (name, position, asked) = (found.name, found.position.get(), found.source);
        Self { name, tenant, tenant_id, position, asked, begun_at, state }
    }
}

impl Row for CopyRow {
    const HEADINGS: &'static [&'static str] = &["name", "tenant", "position", "asked for", "begun at", "state"];

    fn cells(&self) -> Vec<String> {
        let (tenant, begun_at) = (self.tenant.clone().unwrap_or_default(), self.begun_at.clone().unwrap_or_default());
        let (position, asked) = (self.position.to_string(), self.asked.clone());
        vec![self.name.clone(), tenant, position, asked, begun_at, self.state.to_owned()]
    }
}

#[derive(Serialize)]
struct TicketRow {
    ticket: String,
    status: Value,
    subject: Value,
    comments: usize,
    changed_at: String,
}

impl Row for TicketRow {
    const HEADINGS: &'static [&'static str] = &["ticket", "status", "subject", "comments", "changed at"];

    fn cells(&self) -> Vec<String> {
        let comments = self.comments.to_string();
        vec![self.ticket.clone(), shown(&self.status), shown(&self.subject), comments, self.changed_at.clone()]
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct DifferenceRow(Difference);

impl Row for DifferenceRow {
    const HEADINGS: &'static [&'static str] = &["stream", "since then", "fields"];

    fn cells(&self) -> Vec<String> {
        let kind = match self.0.kind {
            Kind::Added => "added",
            Kind::Removed => "gone",
            Kind::Changed | Kind::Same => "changed",
        };
        let fields = self.0.changes.iter().map(in_words).collect::<Vec<_>>();
        vec![self.0.stream.to_string(), kind.to_owned(), fields.join("\n")]
    }
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("{} items", items.len()),
        other => other.to_string(),
    };
    if text.chars().count() <= VALUE_LENGTH_MAX {
        return text;
    }
    text.chars().take(VALUE_LENGTH_MAX - 1).chain(['…']).collect()
}

pub(super) async fn make(deployment: &Deployment, options: &Make) -> Outcome {
    let deps = super::deps(deployment, &options.tenant.region).await?;
    let tenant_id = super::tenant_id(&deps, &options.tenant.tenant)?;
    let as_of = options.at.map_or(AsOf::End, AsOf::from);
    let bar = RestoreBar::new(format!("copy {}", options.tenant.tenant));
    beside::make(&deps, (&options.name, tenant_id), as_of, &|at| bar.at(&at)).await.map_err(said)?;
    bar.finish();
    let made = CopyRow::from(beside::find(&deps, &options.name).await.map_err(said)?);
    print_list(&[made], options.format)
}

pub(super) async fn list(deployment: &Deployment, options: &RegionFormatOption) -> Outcome {
    let deps = super::deps(deployment, &options.region).await?;
    let rows: Vec<_> = beside::list(&deps).await.map_err(said)?.into_iter().map(CopyRow::from).collect();
    print_list(&rows, options.format)
}

pub(super) async fn show(deployment: &Deployment, options: &Show) -> Outcome {
    let list = &options.named.list;
    let (_, _, state) = copied(deployment, &options.named, options.stream.as_ref()).await?;
    if let Some(stream) = &options.stream {
        let unknown = || Failure::usage(format!("--stream: the copy has no {stream}"));
        let found = state.streams.get(stream).ok_or_else(unknown)?;
        let in_words = || format!("{:#}\n", found.state.expose());
        return print_one(found, list.format, in_words);
    }
    let tickets = state.streams.iter().filter(|(stream, _)| matches!(stream, StreamName::Ticket(_)));
    let rows = tickets.map(|(stream, ticket)| {
        let fields = ticket.state.expose();
        TicketRow {
            ticket: stream.to_string(),
            status: fields["status"].clone(),
            subject: fields["subject"].clone(),
            comments: fields["comments"].as_array().map_or(0, Vec::len),
            changed_at: ticket.changed_at.to_string(),
        }
    });
    print_list(&rows.collect::<Vec<_>>(), list.format)
}

pub(super) async fn diff(deployment: &Deployment, options: &Named) -> Outcome {
    let (deps, tenant_id, copied) = copied(deployment, options, None).await?;
    let living = diff::living(&deps, tenant_id).await.map_err(said)?;
    let rows = diff::differences(&copied, &living).into_iter().map(DifferenceRow);
    print_list(&rows.collect::<Vec<_>>(), options.list.format)
}

pub(super) async fn drop(deployment: &Deployment, options: &Drop) -> Outcome {
    let deps = super::deps(deployment, &options.region.region).await?;
    beside::drop(&deps, &options.name).await.map_err(said)
}

/// Whose copy it is, and its state. The tenant is told before it is opened.
async fn copied(
    deployment: &Deployment,
    options: &Named,
    stream: Option<&StreamName>,
) -> Result<(RestorerDeps, TenantId, State), Failure> {
    let deps = super::deps(deployment, &options.list.region).await?;
    let found = beside::find(&deps, &options.name).await.map_err(said)?;
    // Nothing is opened of a copy that is not whole.
    let whose = found.tenant.as_ref().filter(|_| found.state == beside::State::Whole);
    let not_whole = || said(restorer::Error::NotWhole { name: options.name.clone() });
    let (tenant_id, slug) = whose.ok_or_else(not_whole)?;
    let (region, pool) = (deps.region(), &deps.replicator.pool);
    let resident = deployment.resident(&mut *pool.acquire().await?, &region.id, slug).await?;
    let purpose = Purpose { stream, is_export: false, reason: options.reason.as_deref() };
    visit::record(deployment, region, &resident, purpose).await?;
    let state = diff::copied(&deps, &found).await.map_err(said)?;
    Ok((deps, *tenant_id, state))
}
