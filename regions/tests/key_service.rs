//! What a region whose file asks for SSE-KMS sends to its store, and what it takes for an answer. The store is a scripted one, since a
//! key service is not to be had on one machine: this shows what is asked, not that a key service encrypts.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, Method},
};
use bytes::Bytes;
use regions::{Bucket, BucketRole, Endpoints, Error, PostgresEndpoint, Region, Regions, S3Endpoint};
use runtime::{Clock, SystemClock};

/// A store that says how it encrypts, and remembers what was written with which headers.
#[derive(Clone, Default)]
struct Store {
    algorithm: Option<&'static str>,
    writes: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Store {
    async fn answer(State(store): State<Self>, request: Request) -> (HeaderMap, String) {
        let mut headers = HeaderMap::new();
        if request.method() == Method::PUT {
            store.writes.lock().unwrap_or_else(PoisonError::into_inner).push(request.headers().clone());
            headers.insert("etag", "\"1\"".parse().expect("a header"));
            return (headers, String::new());
        }
        let body = match request.uri().query().unwrap_or_default() {
            query if query.contains("location") => "<LocationConstraint>eu-central-1</LocationConstraint>".to_owned(),
            query if query.contains("encryption") => {
                let rule = |algorithm| {
                    format!(
                        "<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>{algorithm}</SSEAlgorithm>\
                         </ApplyServerSideEncryptionByDefault></Rule>"
                    )
                };
                let rules = store.algorithm.map(rule).unwrap_or_default();
                format!("<ServerSideEncryptionConfiguration>{rules}</ServerSideEncryptionConfiguration>")
            }
            query => unreachable!("nobody asks for {query}"),
        };
        (headers, body)
    }

    /// Region `eu` over this store.
    async fn region(&self) -> anyhow::Result<Region> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = Router::new().fallback(Self::answer).with_state(self.clone());
        #[expect(clippy::disallowed_methods, reason = "the scripted store ends with the test's runtime")]
        tokio::spawn(async move { axum::serve(listener, app).await });
        let regions = Regions::load(std::path::Path::new(env!("CARGO_MANIFEST_DIR")))?;
        let mut region = regions.get(&"eu".parse()?).expect("eu").clone().with_endpoints(Endpoints {
            postgres: PostgresEndpoint::new("127.0.0.1", 1, "domicile", "domicile", ""),
            s3: S3Endpoint::new(url, "key", "secret"),
        });
        region.storage.lock = None;
        region.storage.is_encrypted_by_kms = true;
        Ok(region)
    }
}

async fn bucket(region: &Region) -> Result<Bucket, Error> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    regions::bucket(region, BucketRole::Replicator, &clock).await
}

#[tokio::test]
async fn every_write_names_the_regions_key() -> anyhow::Result<()> {
    let store = Store { algorithm: Some("aws:kms"), ..Store::default() };
    let mut region = store.region().await?;
    for is_encrypted_by_kms in [true, false] {
        region.storage.is_encrypted_by_kms = is_encrypted_by_kms;
        let bucket = bucket(&region).await?;
        bucket.put_new("segment", Bytes::from_static(b"1")).await?;
        bucket.put_short_lived("keys", Bytes::from_static(b"2")).await?;
        bucket.put_if_match("checkpoint", Bytes::from_static(b"3"), None).await?;
        let writes = std::mem::take(&mut *store.writes.lock().unwrap_or_else(PoisonError::into_inner));
        let asked = |name: &str| -> Vec<_> {
            writes.iter().map(|headers| headers.get(name).and_then(|value| value.to_str().ok())).collect()
        };
        let wanted = |text| [is_encrypted_by_kms.then_some(text); 3];
        assert_eq!(asked("x-amz-server-side-encryption"), wanted("aws:kms"));
        let alias = region.key_alias.as_str();
        assert_eq!(asked("x-amz-server-side-encryption-aws-kms-key-id"), wanted(alias));
    }
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_encrypts_otherwise_is_refused() -> anyhow::Result<()> {
    for algorithm in [None, Some("AES256")] {
        let error = bucket(&Store { algorithm, ..Store::default() }.region().await?).await.expect_err("refused");
        assert!(error.is_refused_bucket(), "{error}");
        assert!(
            error.to_string().contains("does not encrypt under a key of the key service; enable SSE-KMS"),
            "{error}"
        );
    }
    Ok(())
}
