who alice
trust alice bob
commit one
git push --quiet origin main
who eve
trust alice bob eve
commit two
who bob
commit three
judged main
