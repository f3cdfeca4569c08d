who alice
commit one
git push --quiet origin main
git fetch --quiet
judged main:topic
# then
who alice
commit two
git push --quiet ../server main
git fetch --quiet
judged main:topic
