//! Ids in paths and in lists of ids.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};

use crate::{problem::ApiError, state::Desk};

/// Ids in one `ids=` parameter at most.
const IDS_MAX: usize = 100;

/// The one id of a path; what is no integer is answered 400 as the v2 API does.
#[derive(Debug)]
pub(crate) struct Id<T>(pub(crate) T);

impl<T: FromStr + Send> FromRequestParts<Desk> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, desk).await.map_err(|_| not_an_id())?;
        Ok(Self(text.parse().map_err(|_| not_an_id())?))
    }
}

/// The two ids of a path such as `/tickets/{id}/audits/{id}`.
#[derive(Debug)]
pub(crate) struct TwoIds<A, B>(pub(crate) A, pub(crate) B);

impl<A: FromStr + Send, B: FromStr + Send> FromRequestParts<Desk> for TwoIds<A, B> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, ApiError> {
        let path = Path::<(String, String)>::from_request_parts(parts, desk).await.map_err(|_| not_an_id())?;
        let Path((first, second)) = path;
        Ok(Self(first.parse().map_err(|_| not_an_id())?, second.parse().map_err(|_| not_an_id())?))
    }
}

/// The ids of `?ids=1,2,3`.
pub(crate) fn listed(text: Option<&str>) -> Result<Vec<i64>, ApiError> {
    let wrong = || ApiError::invalid_parameter("ids", "a comma-separated list of integers");
    let text = text.filter(|text| !text.trim().is_empty()).ok_or_else(wrong)?;
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.len() > IDS_MAX {
        return Err(ApiError::too_many_values(IDS_MAX));
    }
    parts.into_iter().map(|part| part.parse().map_err(|_| wrong())).collect()
}

/// The texts of `?external_ids=a,b`.
pub(crate) fn texts(name: &str, text: &str) -> Result<Vec<String>, ApiError> {
    let parts: Vec<&str> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return Err(ApiError::invalid_parameter(name, "a comma-separated list"));
    }
    if parts.len() > IDS_MAX {
        return Err(ApiError::too_many_values(IDS_MAX));
    }
    Ok(parts.into_iter().map(str::to_owned).collect())
}

fn not_an_id() -> ApiError {
    ApiError::invalid_parameter("id", "an integer")
}
