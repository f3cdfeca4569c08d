who alice
commit one
commit two
git push --quiet origin main
git fetch --quiet
judged main:topic
# then
git push --quiet --force ../server HEAD~1:main
git fetch --quiet
judged main:topic
