who alice
commit one
git push --quiet origin main
judged --delete main
