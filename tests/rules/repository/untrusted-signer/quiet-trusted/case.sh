who alice
trust alice bob
commit one
git push --quiet origin main
commit two
who bob
commit three
judged main
