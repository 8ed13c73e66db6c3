# Both bases by tag, for a build of your own; a release passes them with their digests.
ARG BUILD=node:24-bookworm-slim
ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot

# On the builder's own platform, whatever the image is for: nothing here is compiled for a processor.
FROM --platform=$BUILDPLATFORM ${BUILD} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No scripts: the devDependency `node` would fetch a second Node, and nothing else needs one.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

# What runs, and nothing that only builds.
FROM --platform=$BUILDPLATFORM ${BUILD} AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

FROM ${BASE}
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# `"type": "module"` stands in it.
COPY package.json LICENSE ./
# distroless keeps Node in /nodejs/bin, which is not in its PATH; node:24-slim in /usr/local/bin.
ENV NODE_ENV=production PATH=/nodejs/bin:/usr/local/bin:/usr/bin:/bin
# Names are looked up in half of these threads, and one whose DNS does not answer holds its own for 10 s
# and more (src/registry/name-lookups.ts).
ENV UV_THREADPOOL_SIZE=256
# The number, not the name: `runAsNonRoot` cannot read a name.
USER 65532:65532
EXPOSE 8443 9090
# The `args` of a Pod replace CMD and leave ENTRYPOINT as it is.
ENTRYPOINT ["node", "dist/main.js"]
CMD ["serve"]
