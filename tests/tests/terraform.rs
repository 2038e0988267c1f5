//! The Terraform of the buckets says what the region files, the policy documents and the product's own set-up say.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use regions::{LockMode, Regions};
use serde_json::{Value, json};
use system_tests::folder::Folder;

/// What S3 takes as a bucket's name, and IAM as a policy that is attached to a user (AWS, "IAM and AWS STS quotas"), in characters.
const BUCKET_LENGTH_MAX: usize = 63;
const POLICY_LENGTH_MAX: usize = 6_144;

fn infra() -> PathBuf {
    system_tests::repository().join("infra")
}

/// The text of every file of a folder of `infra` that ends so, by name.
fn texts(folder: &str, ending: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(infra().join(folder))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(ending) {
            texts.insert(name, fs::read_to_string(path)?);
        }
    }
    Ok(texts)
}

#[test]
fn its_regions_are_those_of_the_region_files() -> anyhow::Result<()> {
    let regions = Regions::load(&system_tests::repository().join("regions"))?;
    let described = |region: &regions::Region| {
        let lock = region.storage.lock.expect("the repository's regions lock");
        let mode = if lock.mode == LockMode::Governance { "governance" } else { "compliance" };
        let described = json!({
            "cloud_region": region.cloud_region, "bucket": region.bucket, "key_alias": region.key_alias,
            "kms": region.storage.is_encrypted_by_kms, "lock": { "mode": mode, "days": lock.days },
        });
        (region.id.to_string(), described)
    };
    let deletion = regions.policy().deletion();
    let expected = json!({
        "regions": regions.iter().map(described).collect::<serde_json::Map<_, _>>(),
        "deletion": {
            "promise_days": deletion.promise_days, "keys_days": deletion.keys_days,
            "drills_days": deletion.drills_days,
            "noncurrent_days": deletion.noncurrent_days, "incomplete_days": deletion.incomplete_days,
        },
    });
    let found: Value = serde_json::from_str(&fs::read_to_string(infra().join("terraform/regions.auto.tfvars.json"))?)?;
    assert_eq!(found, expected);
    Ok(())
}

#[test]
fn it_uses_every_policy_document_and_fills_what_stands_in_for_a_regions_own() -> anyhow::Result<()> {
    let module: String = texts("terraform/region", ".tf")?.into_values().collect();
    assert!(module.contains("file(\"${path.module}/../../policies/${name}.json\")"));
    for (name, document) in texts("policies", ".json")? {
        let name = name.trim_end_matches(".json");
        assert!(module.contains(&format!("\"{name}\"")), "nobody uses {name}.json");
        let document: Value = serde_json::from_str(&document)?;
        assert_eq!(document["Version"], "2012-10-17", "{name}");
        let filled = document.to_string().replace("BUCKET", &"b".repeat(BUCKET_LENGTH_MAX));
        assert!(filled.len() <= POLICY_LENGTH_MAX, "{name}.json is too long for IAM: {}", filled.len());
        for statement in document["Statement"].as_array().into_iter().flatten() {
            let about = [&statement["Resource"], &statement["NotResource"]].map(Value::to_string).concat();
            assert!(about.contains("arn:aws:s3:::BUCKET"), "{name}: {statement} is about another bucket");
            let denies = statement["Effect"] == "Deny";
            assert!(denies || !statement["Action"].to_string().contains('*'), "{name}: {statement} allows too much");
        }
    }
    assert!(!module.contains("\"aws_iam_user_policy\""), "those of a user may have 2,048 characters together");
    for filled in ["\"BUCKET\", var.bucket", "\"DAYS\", tostring(var.lock.days)", "\"MODE\", upper(var.lock.mode)"] {
        assert!(module.contains(filled), "{filled}");
    }
    Ok(())
}

#[test]
fn what_it_makes_lies_in_the_region_and_is_kept_as_the_product_asks() -> anyhow::Result<()> {
    let module: String = texts("terraform/region", ".tf")?.into_values().collect();
    for resource in module.split("\nresource ").skip(1) {
        let is_global = resource.starts_with("\"aws_iam_");
        assert!(is_global || resource.contains("= var.cloud_region\n"), "lies anywhere: {resource}");
    }
    let words: String = module.split_whitespace().collect::<Vec<_>>().join(" ");
    for asked in [
        "object_lock_enabled = true",
        "status = \"Enabled\"",
        "block_public_policy = true",
        "filter { prefix = \"keys/\" } expiration { days = var.deletion.keys_days }",
        "filter { prefix = \"drills/\" } expiration { days = var.deletion.drills_days }",
        "filter { and { prefix = \"backups/\" tags = { domicile-life = \"over\" } } } expiration { days = 1 }",
        "noncurrent_days = var.deletion.noncurrent_days",
        "days_after_initiation = var.deletion.incomplete_days",
        "expired_object_delete_marker = true",
        "sse_algorithm = var.kms ? \"aws:kms\" : \"AES256\"",
        "prevent_destroy = true",
    ] {
        assert!(words.contains(asked), "{asked}");
    }
    assert!(
        !module.contains("resource \"aws_s3_bucket_object_lock_configuration\""),
        "keys/ must not be locked by default"
    );
    Ok(())
}

fn terraform(arguments: &[&str], folder: &std::path::Path) -> std::io::Result<Output> {
    Command::new("terraform").args(arguments).current_dir(folder).env("CHECKPOINT_DISABLE", "1").output()
}

#[test]
fn terraform_itself_reads_it() -> anyhow::Result<()> {
    const NAME: &str = "terraform_itself_reads_it";
    let Ok(formatted) = terraform(&["fmt", "-check", "-recursive"], &infra().join("terraform")) else {
        testkit::skipped(NAME, "no Terraform (install terraform)");
        return Ok(());
    };
    assert!(formatted.status.success(), "terraform fmt: {}", String::from_utf8_lossy(&formatted.stdout));
    // The provider is fetched where it can be; beside the checkout, because that leaves files.
    let beside = Folder::new()?;
    for folder in ["terraform", "terraform/region", "policies"] {
        fs::create_dir_all(beside.path().join(folder))?;
        for ending in [".tf", ".json"] {
            for (name, text) in texts(folder, ending)? {
                fs::write(beside.path().join(folder).join(name), text)?;
            }
        }
    }
    let folder = beside.path().join("terraform");
    if !terraform(&["init", "-backend=false", "-input=false"], &folder)?.status.success() {
        testkit::skipped(NAME, "Terraform cannot fetch its provider (terraform validate)");
        return Ok(());
    }
    let validated = terraform(&["validate"], &folder)?;
    assert!(validated.status.success(), "{}", String::from_utf8_lossy(&validated.stderr));
    Ok(())
}
