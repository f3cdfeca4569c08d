who alice
trust alice bob
commit one
git push --quiet origin main
who bob
commit two
tag v1
judged main v1
