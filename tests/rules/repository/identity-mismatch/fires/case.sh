who alice
trust alice bob
commit one
git push --quiet origin main
key bob
commit two
judged main
