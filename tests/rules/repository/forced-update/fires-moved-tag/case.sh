who alice
commit one
tag v1.0.0
git push --quiet origin main v1.0.0
commit two
git tag --delete v1.0.0 > /dev/null
tag v1.0.0
judged --force v1.0.0
