who alice
commit one
commit two
git push --quiet origin main
git reset --quiet --hard HEAD~1
commit other
judged --force main
