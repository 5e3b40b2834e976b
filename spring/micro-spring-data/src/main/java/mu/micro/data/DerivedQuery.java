package mu.micro.data;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

import org.apache.commons.logging.Log;
import org.apache.commons.logging.LogFactory;
import org.jspecify.annotations.Nullable;

import org.springframework.dao.IncorrectResultSizeDataAccessException;
import org.springframework.dao.InvalidDataAccessApiUsageException;
import org.springframework.data.domain.Pageable;
import org.springframework.data.domain.SliceImpl;
import org.springframework.data.domain.Sort;
import org.springframework.data.repository.query.ParametersParameterAccessor;
import org.springframework.data.repository.query.QueryMethod;
import org.springframework.data.repository.query.RepositoryQuery;
import org.springframework.data.repository.query.ResultProcessor;
import org.springframework.data.repository.query.parser.PartTree;
import org.springframework.data.support.PageableExecutionUtils;

/**
 * A query whose condition is the name of its method: {@code findBy}, {@code countBy},
 * {@code existsBy} and {@code deleteBy}. It uses an {@link Indexed index} where one fits;
 * where none does it reads the whole table, in pages, and says so once at level info.
 * <p>
 * A {@link Stream} is read as it is consumed; a list, page or slice at once.
 */
final class DerivedQuery implements RepositoryQuery {

	private static final Log logger = LogFactory.getLog(DerivedQuery.class);

	private final QueryMethod method;

	private final DatabaseAdapter adapter;

	private final PartTree tree;

	private final Class<?> type;

	private final ConditionCreator conditions;

	private final AtomicBoolean told = new AtomicBoolean();

	/**
	 * Looks at a method.
	 * @param method the method
	 * @param adapter what answers
	 * @throws InvalidDataAccessApiUsageException if it asks what cannot be answered
	 */
	DerivedQuery(QueryMethod method, DatabaseAdapter adapter) {
		this.method = method;
		this.adapter = adapter;
		this.type = method.getEntityInformation().getJavaType();
		this.tree = new PartTree(method.getName(), this.type);
		this.conditions = new ConditionCreator(this.tree, adapter.context(), this.type);
		if (method.isScrollQuery() || method.isSearchQuery()) {
			throw new InvalidDataAccessApiUsageException("a " + method.getReturnedObjectType().getSimpleName()
					+ " by scrolling or searching is not supported; return a Slice or a Stream");
		}
		adapter.order(this.tree.getSort(), this.type);
	}

	@Override
	public QueryMethod getQueryMethod() {
		return this.method;
	}

	@Override
	public @Nullable Object execute(@Nullable Object[] parameters) {
		ParametersParameterAccessor accessor = new ParametersParameterAccessor(this.method.getParameters(), parameters);
		ResultProcessor processor = this.method.getResultProcessor().withDynamicProjection(accessor);
		return processor.processResult(result(accessor));
	}

	private @Nullable Object result(ParametersParameterAccessor accessor) {
		Condition condition = this.conditions.create(accessor.iterator());
		if (this.tree.isCountProjection()) {
			return this.adapter.count(query(condition, Sort.unsorted(), 0, -1));
		}
		if (this.tree.isExistsProjection()) {
			return this.adapter.count(query(condition, Sort.unsorted(), 0, 1)) > 0;
		}
		if (this.tree.isDelete()) {
			return delete(condition);
		}
		Sort sort = this.tree.getSort().and(accessor.getSort());
		Pageable pageable = accessor.getPageable();
		long offset = pageable.isPaged() ? pageable.getOffset() : 0;
		long most = most(pageable, offset);
		if (this.method.isPageQuery()) {
			List<Object> content = this.adapter.list(query(condition, sort, offset, most));
			return PageableExecutionUtils.getPage(content, pageable, () -> total(condition));
		}
		if (this.method.isSliceQuery()) {
			return slice(condition, sort, pageable, offset);
		}
		if (this.method.isStreamQuery()) {
			return DatabaseTemplate.stream(this.adapter.find(query(condition, sort, offset, most))).map(Stored::entity);
		}
		if (this.method.isCollectionQuery()) {
			return this.adapter.list(query(condition, sort, offset, most));
		}
		return single(query(condition, sort, offset, (most < 0) ? 2 : Math.min(2, most)));
	}

	/*
	 * What a First or Top in the name allows, from an offset on.
	 */
	private long most(Pageable pageable, long offset) {
		Integer top = this.tree.getMaxResults();
		long rows = pageable.isPaged() ? pageable.getPageSize() : -1;
		if (top == null) {
			return rows;
		}
		long left = Math.max(0, top - offset);
		return (rows < 0) ? left : Math.min(rows, left);
	}

	private long total(Condition condition) {
		Integer top = this.tree.getMaxResults();
		return this.adapter.count(query(condition, Sort.unsorted(), 0, (top != null) ? top : -1));
	}

	private Object slice(Condition condition, Sort sort, Pageable pageable, long offset) {
		if (pageable.isUnpaged()) {
			return new SliceImpl<>(this.adapter.list(query(condition, sort, 0, most(pageable, 0))));
		}
		Integer top = this.tree.getMaxResults();
		long one = pageable.getPageSize() + 1L;
		List<Object> content = this.adapter
			.list(query(condition, sort, offset, (top != null) ? Math.min(one, Math.max(0, top - offset)) : one));
		boolean more = content.size() == one;
		return new SliceImpl<>(more ? content.subList(0, pageable.getPageSize()) : content, pageable, more);
	}

	private @Nullable Object single(EntityQuery query) {
		List<Object> found = this.adapter.list(query);
		if (found.size() > 1 && !this.tree.isLimiting()) {
			throw new IncorrectResultSizeDataAccessException(
					this.method.getName() + " found more than one; return a List, or say findFirst", 1);
		}
		return found.isEmpty() ? null : found.get(0);
	}

	private @Nullable Object delete(Condition condition) {
		List<Object> deleted = new ArrayList<>();
		boolean entities = this.method.isQueryForEntity();
		long[] count = new long[1];
		this.adapter.delete(query(condition, Sort.unsorted(), 0, -1), condition, (entity) -> {
			count[0]++;
			if (entities) {
				deleted.add(entity);
			}
		});
		if (!entities) {
			return count[0];
		}
		return this.method.isCollectionQuery() ? deleted : (deleted.isEmpty() ? null : deleted.get(0));
	}

	private EntityQuery query(Condition condition, Sort sort, long offset, long rows) {
		return new EntityQuery(this.type, condition, EntityQuery.Whatever.ENTITY, this.adapter.order(sort, this.type),
				offset, rows, this::tell);
	}

	private void tell(Plan plan) {
		if (plan.isScan() && logger.isInfoEnabled() && this.told.compareAndSet(false, true)) {
			logger.info(this.method.getName() + " reads the whole table of " + this.type.getName()
					+ " to find some of it, because no index fits; @Indexed on a property in its name would help");
		}
	}

}
