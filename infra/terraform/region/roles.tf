locals {
  # The documents that the embedded endpoint judges by and the tests try, filled for this region.
  documents = {
    for name in ["owner", "desk", "replicator", "reader", "auditor", "bucket"] :
    name => replace(replace(replace(file("${path.module}/../../policies/${name}.json"),
      "BUCKET", var.bucket),
      "DAYS", tostring(var.lock.days)),
    "MODE", upper(var.lock.mode))
  }

  # The owner is whoever applies this: it gets no user here.
  roles = toset(["desk", "replicator", "reader"])
}

# IAM takes no longer names than 64 characters, and a bucket's may have 63: its digest keeps users of several deployments apart.
locals {
  users = "${var.id}-${substr(sha256(var.bucket), 0, 8)}"
}

resource "aws_iam_user" "role" {
  for_each = local.roles
  name     = "${local.users}-${each.key}"
}

# The tag is what the policy reads: an auditor sees the objects of the tenant that it names.
resource "aws_iam_user" "auditor" {
  for_each = toset(var.auditors)
  name     = "${local.users}-${each.key}"
  tags     = { tenant = each.key }
}

# Policies of their own: all that stand in a user may have 2,048 characters together, one that is attached 6,144.
resource "aws_iam_policy" "role" {
  for_each = setunion(local.roles, ["auditor"])
  name     = "${var.bucket}-${each.key}"
  policy   = local.documents[each.key]
}

resource "aws_iam_user_policy_attachment" "role" {
  for_each   = aws_iam_user.role
  user       = each.value.name
  policy_arn = aws_iam_policy.role[each.key].arn
}

resource "aws_iam_user_policy_attachment" "auditor" {
  for_each   = aws_iam_user.auditor
  user       = each.value.name
  policy_arn = aws_iam_policy.role["auditor"].arn
}
