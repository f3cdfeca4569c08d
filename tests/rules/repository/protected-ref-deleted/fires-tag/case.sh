who alice
commit one
tag v1
git push --quiet origin main v1
judged --delete v1
