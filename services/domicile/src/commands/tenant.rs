//! `domicile tenant`: sign tenants up, and see who is at home where.

use clap::{Args, Subcommand};
use regions::DatabaseRole;
use reqwest::Method;
use schemas::{RegionId, Slug, values::Plan};
use serde::Serialize;
use serde_json::json;

use crate::{
    cli::Place,
    deployment::Deployment,
    directory_option::GivenDirectory,
    exit::{Failure, Outcome},
    import::{Client, client::Error},
    output::{Format, Row, json_pretty, print_list},
};

/// `domicile tenant`.
#[derive(Debug, Subcommand)]
pub enum Tenant {
    /// Sign a tenant up, as the signup form does. Prints the first admin's API token once.
    Create(Create),
    /// Every tenant of the deployment, from the directory's signed map.
    List(List),
    /// One tenant: its home and its marks.
    Show(Show),
}

/// `domicile tenant create`.
#[derive(Debug, Args)]
pub struct Create {
    /// The name in its address.
    pub subdomain: Slug,
    /// The company's name.
    #[arg(long)]
    pub company: String,
    /// The plan: trial, team, growth, professional or enterprise.
    #[arg(long)]
    pub plan: Plan,
    /// The region it chooses; plans without a choice leave this out.
    #[arg(long, value_name = "REGION")]
    pub locality: Option<RegionId>,
    /// The first admin's name.
    #[arg(long, value_name = "NAME")]
    pub admin_name: String,
    /// The first admin's address.
    #[arg(long, value_name = "ADDRESS")]
    pub admin_email: String,
    /// The first admin's password.
    #[arg(long, env = "DOMICILE_PASSWORD", value_name = "PASSWORD", hide_env_values = true)]
    pub admin_password: String,
}

/// `domicile tenant list`.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub directory: GivenDirectory,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// `domicile tenant show`.
#[derive(Debug, Args)]
pub struct Show {
    /// The name in its address.
    pub subdomain: Slug,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub directory: GivenDirectory,
    /// How to print.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Serialize)]
struct TenantRow {
    tenant: Slug,
    tenant_id: String,
    region: RegionId,
    epoch: i64,
    state: String,
}

impl Row for TenantRow {
    const HEADINGS: &'static [&'static str] = &["tenant", "region", "epoch", "state", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.tenant.to_string(),
            self.region.to_string(),
            self.epoch.to_string(),
            self.state.clone(),
            self.tenant_id.clone(),
        ]
    }
}

#[derive(Serialize)]
struct MarkRow {
    mark: &'static str,
    position: i64,
    at: String,
    age_seconds: Option<i64>,
}

impl Row for MarkRow {
    const HEADINGS: &'static [&'static str] = &["mark", "position", "at", "age"];

    fn cells(&self) -> Vec<String> {
        let age = self.age_seconds.map_or_else(String::new, |seconds| format!("{seconds} s"));
        vec![self.mark.to_owned(), self.position.to_string(), self.at.clone(), age]
    }
}

/// Runs it.
pub async fn run(place: &Place, command: &Tenant) -> Outcome {
    match command {
        Tenant::Create(options) => create(&Deployment::open(place)?, options).await,
        Tenant::List(options) => {
            let deployment = Deployment::open_with(place, &options.directory)?;
            print_list(&rows(&deployment).await?, options.format)
        }
        Tenant::Show(options) => show(&Deployment::open_with(place, &options.directory)?, options).await,
    }
}

async fn create(deployment: &Deployment, options: &Create) -> Outcome {
    let policy = deployment.regions.policy();
    let decision = policy
        .decide(options.plan, options.locality.as_ref())
        .map_err(|refusal| Failure::usage(format!("--locality: {refusal}")))?;
    let running = deployment.running()?;
    let host = format!("{}.{}", decision.granted, running.apex);
    let signup = json!({
        "subdomain": options.subdomain, "company": options.company, "plan": options.plan, "locality": options.locality,
        "admin": {"name": options.admin_name, "email": options.admin_email, "password": options.admin_password},
    });
    let sent = Client::new(running.listen, &host, None)?.send(Method::POST, "/api/signup", &signup, None).await;
    match sent {
        Ok(answer) => println!("{}", json_pretty(&answer.body)?),
        Err(Error::Refused { status, reason, .. }) if status.is_client_error() => return Err(Failure::usage(reason)),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

async fn rows(deployment: &Deployment) -> Result<Vec<TenantRow>, Failure> {
    let map = deployment.directory_map().await?;
    let row = |(slug, home): (&Slug, &directory::map::Entry)| TenantRow {
        tenant: slug.clone(),
        tenant_id: home.tenant_id.to_string(),
        region: home.region.clone(),
        epoch: home.epoch.get(),
        state: home.state.as_str().to_owned(),
    };
    Ok(map.names.iter().map(row).collect())
}

async fn show(deployment: &Deployment, options: &Show) -> Outcome {
    let rows = rows(deployment).await?;
    let tenant = rows.into_iter().find(|row| row.tenant == options.subdomain);
    let tenant = tenant.ok_or_else(|| Failure::usage(format!("SUBDOMAIN: nobody is called {}", options.subdomain)))?;
    let region = deployment.region(&tenant.region)?;
    let pool = deployment.pool(&region, DatabaseRole::Replicator).await?;
    let mut connection = pool.acquire().await?;
    let resident = deployment.resident(&mut connection, &tenant.region, &tenant.tenant).await?;
    let marks = eventlog::marks(&mut connection, &resident).await?;
    let now = deployment.clock.now();
    let named = [
        ("acked", Some(marks.acked)),
        ("sealed", marks.sealed),
        ("archived", marks.archived),
        ("verified", marks.verified),
    ];
    let reached = named.into_iter().filter_map(|(mark, reached)| reached.map(|reached| (mark, reached)));
    let marks: Vec<MarkRow> = reached
        .map(|(mark, reached)| MarkRow {
            mark,
            position: reached.position.get(),
            at: reached.at.to_string(),
            age_seconds: Some(now.duration_since(reached.at).as_secs()),
        })
        .collect();
    if options.format == Format::Table {
        print_list(&[tenant], Format::Table)?;
        return print_list(&marks, Format::Table);
    }
    println!("{}", json_pretty(&json!({"tenant": tenant, "marks": marks}))?);
    Ok(())
}
