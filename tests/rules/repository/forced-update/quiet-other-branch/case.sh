who alice
commit one
commit two
git push --quiet origin main main:topic
git reset --quiet --hard HEAD~1
commit other
judged --force HEAD:topic
