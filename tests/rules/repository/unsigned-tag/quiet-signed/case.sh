who alice
policy 'rules.unsigned-tag = "deny"'
trust alice
commit one
git push --quiet origin main
tag v1
judged v1
