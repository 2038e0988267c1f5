//! What every page is given.

use std::{ops::Deref, sync::Arc};

use axum::{Router, extract::DefaultBodyLimit};
use desk::Desk;
use projector::ProjectorDeps;
use replicator::backup::OnRequest;
use runtime::Shutdown;

use crate::{backups, operators::Operators, overview, samples::Samples, session::Sessions, sign_in, tenants};

/// The largest form, in bytes.
const FORM_BYTES_MAX: usize = 16 * 1024;

/// What a console is made of. All of it belongs to one region.
pub struct Deps {
    /// Who may.
    pub operators: Operators,
    /// The one write path; its clock and ids are the console's.
    pub desk: Desk,
    /// Backups of the region, in the role of the replicator.
    pub backups: OnRequest,
    /// The projections, in the role of the projector.
    pub projector: ProjectorDeps,
}

/// A region's console: cheap to clone, the state of every page.
#[derive(Clone)]
pub struct Console(Arc<Inner>);

struct Inner {
    deps: Deps,
    sessions: Sessions,
    samples: Samples,
}

impl Console {
    /// A console that takes its samples until shutdown.
    pub fn start(deps: Deps, shutdown: &Shutdown) -> Self {
        let console = Self::new(deps);
        shutdown.spawn(console.samples().clone().run(console.backups.deps().clone(), shutdown.clone()));
        console
    }

    /// A console without samples yet.
    pub(crate) fn new(deps: Deps) -> Self {
        Self(Arc::new(Inner { deps, sessions: Sessions::default(), samples: Samples::default() }))
    }

    /// Its pages, all below `/ops`.
    pub fn routes(&self) -> Router {
        Router::new()
            .merge(sign_in::routes())
            .merge(overview::routes())
            .merge(tenants::routes())
            .merge(backups::routes())
            .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
            .with_state(self.clone())
    }

    /// Those who were let in.
    pub(crate) fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// How the region was, lately.
    pub(crate) fn samples(&self) -> &Samples {
        &self.0.samples
    }
}

impl Deref for Console {
    type Target = Deps;

    fn deref(&self) -> &Deps {
        &self.0.deps
    }
}
