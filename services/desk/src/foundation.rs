//! What pages are made of, for the console of the region's operators: it is no part of the desk, and looks and refuses as the desk does.
//! Its words lie with the desk's, in `locales/<language>/ops.ftl`, its style and script with the desk's other files.

use regions::Resident;

use crate::{read, state::Desk};

pub use crate::{
    ops::ready,
    pages::{
        frame::{Frame, cookie, percent},
        words::{Language, Sentence, Words},
    },
    problem::{ApiError, ApiResult, Source},
    session::{cookie::is_over_tls, layer::is_from_here},
};

/// The name of the cookie with which an operator is signed in, where it may be sent in the clear.
pub const OPERATOR_COOKIE: &str = crate::pages::cookies::OPERATOR.name;

/// The plan of a tenant, once its first events are projected.
///
/// # Errors
/// If the database fails.
pub async fn plan(desk: &Desk, resident: &Resident) -> Result<Option<String>, sqlx::Error> {
    let mut transaction = desk.reading(resident).await?;
    Ok(read::account::one(&mut transaction, resident).await?.and_then(|account| account.plan))
}
