//! A bucket with every call there is: for what the product has no call for, and must not be able to do.

use std::ops::Deref;

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Config, Credentials, Region as CloudRegion, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
};
use regions::Region;

/// The client of a bucket; dereferences to it.
#[derive(Debug, Clone)]
pub struct RawBucket {
    client: Client,
    /// The bucket's name.
    pub name: String,
}

impl RawBucket {
    /// The bucket of a region, entered with a key. Nothing is tried twice.
    #[expect(clippy::disallowed_methods, reason = "tests try what the product's own client has no call for")]
    pub fn new(region: &Region, access_key: &str, secret_key: &str) -> Self {
        let endpoint = region.s3().expect("a region with an object store");
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(CloudRegion::new(region.cloud_region.clone()))
            .endpoint_url(&endpoint.url)
            .force_path_style(true)
            .credentials_provider(Credentials::new(access_key, secret_key, None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .build();
        Self { client: Client::from_conf(config), name: region.bucket.clone() }
    }
}

impl Deref for RawBucket {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// The code with which a call was refused; `none` for one that was not.
pub fn refusal<T, E: ProvideErrorMetadata, R>(result: &Result<T, SdkError<E, R>>) -> &str {
    match result {
        Ok(_) => "none",
        Err(error) => error.code().unwrap_or("no code"),
    }
}
