resource "aws_s3_bucket" "this" {
  region              = var.cloud_region
  bucket              = var.bucket
  object_lock_enabled = true

  lifecycle {
    prevent_destroy = true

    precondition {
      condition     = var.lock.days + var.deletion.noncurrent_days < var.deletion.promise_days
      error_message = "lock.days and deletion.noncurrent_days together take fewer days than deletion.promise_days."
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  region = var.cloud_region
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

# No aws_s3_bucket_object_lock_configuration: a retention by default would lock wrapped keys and checkpoints. Each write asks for its own,
# and the policies of the roles deny writes that do not.

resource "aws_s3_bucket_public_access_block" "this" {
  region                  = var.cloud_region
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  region = var.cloud_region
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  region = var.cloud_region
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "keys"
    status = "Enabled"

    filter {
      prefix = "keys/"
    }

    expiration {
      days = var.deletion.keys_days
    }
  }

  rule {
    id     = "drills"
    status = "Enabled"

    filter {
      prefix = "drills/"
    }

    expiration {
      days = var.deletion.drills_days
    }
  }

  # The replicator marks a backup as over when the region file's backup.keep is, but never the newest whole one.
  rule {
    id     = "backups"
    status = "Enabled"

    filter {
      and {
        prefix = "backups/"
        tags   = { domicile-life = "over" }
      }
    }

    expiration {
      days = 1
    }
  }

  rule {
    id     = "replaced-versions"
    status = "Enabled"

    filter {
      prefix = ""
    }

    expiration {
      expired_object_delete_marker = true
    }

    noncurrent_version_expiration {
      noncurrent_days = var.deletion.noncurrent_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = var.deletion.incomplete_days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  region = var.cloud_region
  bucket = aws_s3_bucket.this.id
  policy = local.documents["bucket"]
}
