resource "aws_kms_key" "this" {
  count                   = var.kms ? 1 : 0
  region                  = var.cloud_region
  description             = "Objects of ${var.bucket}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "this" {
  count         = var.kms ? 1 : 0
  region        = var.cloud_region
  name          = var.key_alias
  target_key_id = aws_kms_key.this[0].key_id
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  region = var.cloud_region
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.kms

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms ? "aws:kms" : "AES256"
      kms_master_key_id = one(aws_kms_key.this[*].arn)
    }
  }
}

# Whoever writes or reads objects uses the key through the bucket and in no other way.
resource "aws_iam_policy" "key" {
  count = var.kms ? 1 : 0
  name  = "${var.bucket}-key"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "UseTheKeyThroughTheBucket"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = aws_kms_key.this[0].arn
      Condition = { StringEquals = { "kms:ViaService" = "s3.${var.cloud_region}.amazonaws.com" } }
    }]
  })
}

resource "aws_iam_user_policy_attachment" "key" {
  for_each   = { for key, user in merge(aws_iam_user.role, aws_iam_user.auditor) : key => user.name if var.kms }
  user       = each.value
  policy_arn = aws_iam_policy.key[0].arn
}
