who alice
policy 'rules.forced-update.movable-tags = ["v[0-9]"]'
commit one
tag v1
git push --quiet origin main v1
commit two
git tag --delete v1 > /dev/null
tag v1
judged --force main v1
