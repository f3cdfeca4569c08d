commit one
git push --quiet origin main
commit two
judged main
