who alice
policy 'rules.unsigned-commit = "deny"'
trust alice
commit one
git push --quiet origin main
who nobody
commit two
who alice
commit three
judged main
