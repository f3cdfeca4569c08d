who alice
trust alice
commit one
tag v1
git push --quiet origin main v1
git update-ref refs/tags/v2 refs/tags/v1
judged v2
