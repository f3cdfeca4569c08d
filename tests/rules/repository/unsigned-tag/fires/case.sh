who alice
policy 'rules.unsigned-tag = "deny"'
trust alice
commit one
git push --quiet origin main
git update-ref refs/tags/light HEAD
who nobody
tag annotated
who alice
tag signed
judged light annotated signed
