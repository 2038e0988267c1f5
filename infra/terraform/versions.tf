terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # The first with a region on every resource, so that one provider reaches all regions.
      version = "~> 6.0"
    }
  }
}
